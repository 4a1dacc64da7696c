"""The process a TorchScript model lives in: `main`, with the arguments HANDLE FILE SHA256.

It is asked in JSON through its line, and answers there; signals follow as bytes of float32. The file is read once, and
only if its content is what the user trusts, so that it cannot be exchanged in between.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.errors import ModelError
from studio.foreign import connect

Answer = dict[str, Any]

MOST_VALUES = 64
"""Values that an attribute may have."""


def main() -> None:
    """Answer until nobody asks."""
    line = connect()
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    import torch

    torch.set_num_threads(1)
    content = Path(sys.argv[2]).read_bytes()
    if hashlib.sha256(content).hexdigest() != sys.argv[3]:
        line.send_bytes(json.dumps({"error": "the file has changed while it was being opened."}).encode())
        line.send_bytes(b"")
        return
    while True:
        try:
            request = json.loads(line.recv_bytes())
            given = np.frombuffer(line.recv_bytes(), np.float32)
        except EOFError:
            os._exit(0)
        made = np.zeros(0, np.float32)
        try:
            if request["do"] == "look":
                answer = _look(_opened(content))
            else:
                made = _run(_opened(content), request, given.reshape(request["channels"], -1))
                answer = {"shape": made.shape}
        except ModelError as error:
            answer = {"error": error.cause}
        except Exception as error:
            answer = {"error": f"it failed: {_last(error)}"}
        line.send_bytes(json.dumps(answer).encode())
        line.send_bytes(made.tobytes())


def _opened(content: bytes) -> Any:
    """The model, at rest: what it remembers of a sound lies in its buffers, so every signal gets one anew."""
    import torch

    try:
        return torch.jit.load(io.BytesIO(content), map_location="cpu").eval()  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError, OSError) as error:
        raise ModelError(f"this is no TorchScript: {str(error).strip().splitlines()[0][:200]}") from None


def _look(model: Any) -> Answer:
    """What the model says of itself: the numbers of its methods, the types of its attributes, and its rate or 0."""
    buffers = dict(model.named_buffers())
    methods, attributes = {}, {}
    for buffer, value in buffers.items():
        name = buffer.removesuffix("_params")
        if name == buffer or "." in name or not hasattr(model, name):
            continue
        # An attribute may have four values, and so as many numbers as a method; what sets it tells them apart.
        if hasattr(model, f"set_{name}"):
            attributes[name] = [int(number) for number in value.flatten()[:MOST_VALUES].tolist()]
        else:
            methods[name] = [int(number) for number in value.flatten()[:5].tolist()]
    rate = 0
    for name in ("sampling_rate", "sample_rate", "sr"):
        value = buffers.get(name, getattr(model, name, None))
        if isinstance(value, (int, float)) or (value is not None and getattr(value, "numel", lambda: 0)() == 1):
            rate = int(value)
            break
    return {"methods": methods, "attributes": attributes, "rate": rate}


def _run(model: Any, request: Answer, given: NDArray[np.float32]) -> NDArray[np.float32]:
    """A signal ``(channels, frames)`` through a method, in pieces of `step` frames."""
    import torch

    method, made = getattr(model, request["method"]), []
    with torch.inference_mode():
        for name, values in request["attributes"].items():
            if getattr(model, f"set_{name}")(*values) not in (0, None):
                raise ModelError(f"its attribute {name!r} does not take {', '.join(map(str, values))}.")
        for first in range(0, given.shape[1], request["step"]):
            part = torch.tensor(given[None, :, first : first + request["step"]])
            try:
                out = method(part)
            except RuntimeError as error:
                raise ModelError(f"its {request['method']!r} failed: {_last(error)}") from None
            wanted = (1, request["gives"], part.shape[2] * request["ratio_in"] // request["ratio_out"])
            if not isinstance(out, torch.Tensor) or tuple(out.shape) != wanted:
                found = tuple(out.shape) if isinstance(out, torch.Tensor) else type(out).__name__
                raise ModelError(f"its {request['method']!r} gave {found} where its card promises {wanted}.")
            made.append(np.asarray(out[0].float().numpy()))
    return np.ascontiguousarray(np.concatenate(made, axis=1), np.float32)


def _last(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1][:400]
