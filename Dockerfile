# Two stages: what builds is not in what runs.
ARG PYTHON=3.11-slim

FROM python:${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/interdesk
WORKDIR /opt/interdesk/src
COPY requirements.lock ./
RUN /opt/interdesk/bin/python -m pip install --require-hashes --only-binary :all: --requirement requirements.lock
COPY pyproject.toml README.md ./
COPY openapi/examples ./openapi/examples
COPY migrations ./migrations
COPY app ./app
# In place, because the examples of the API's description lie beside the application; compiled, because what runs
# may not write.
RUN /opt/interdesk/bin/python -m pip install --no-deps --editable . \
    && /opt/interdesk/bin/python -m compileall -q app migrations

FROM python:${PYTHON}
RUN groupadd --gid 10001 interdesk \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/interdesk --shell /usr/sbin/nologin interdesk \
    && install --directory --owner 10001 --group 10001 --mode 0700 /var/lib/interdesk
COPY --from=build /opt/interdesk /opt/interdesk
ENV PATH=/opt/interdesk/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 INTERDESK_DATA=/var/lib/interdesk
WORKDIR /var/lib/interdesk
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# Python and not curl, which the image does not have.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health/ready', timeout=4)"]
ENTRYPOINT ["interdesk"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
