"""`interdesk openapi`: the description that integrators generate their clients from."""

import json
import sys

from app.cli.terminal import AsJson


def openapi(as_json: AsJson = False) -> None:
    """Print the OpenAPI document of this version; indented, or in one line with --json."""
    import secrets

    from app.core.crypto import KEY_BYTES, MasterKey
    from app.main import create_app
    from app.settings import Settings

    # Of the settings only the public address stands in the document, and that is each installation's own.
    settings = Settings.model_construct(**{name: field.get_default() for name, field in Settings.model_fields.items()})
    application = create_app(settings, "", MasterKey(secrets.token_bytes(KEY_BYTES)))
    document = json.dumps(application.openapi(), ensure_ascii=False, indent=None if as_json else 2)
    sys.stdout.write(document + "\n")
