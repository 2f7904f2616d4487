"""Background work: what has to happen without anybody calling."""

from app.worker.running import run, running_worker

__all__ = ["run", "running_worker"]
