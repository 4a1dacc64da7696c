"""Model files: weights and a card in one safetensors file, which holds numbers and text and can run nothing."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from studio.disk import write_whole
from studio.errors import MissingError, ModelError, Place

if TYPE_CHECKING:
    from torch import Tensor, nn

Model = TypeVar("Model", bound="nn.Module")

MOST_BYTES = 64 * 1024**2


def write_model(path: Path, weights: dict[str, Tensor], card: dict[str, Any]) -> None:
    """Write a model, whole or not at all; its card gets the hash of the weights.

    Raises:
        OutputError: the file cannot be written.
    """
    from safetensors.torch import save

    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in sorted(weights.items())}
    write_whole(path, save(plain, {"card": json.dumps(card | {"sha256": weights_hash(plain)}, allow_nan=False)}))


def read_model(path: Path, kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read the weights and the card of a model of some kind.

    Raises:
        ModelError: it is no model, one of another kind, too large, damaged, or holds numbers that are none.
    """
    from safetensors import SafetensorError, safe_open

    place = Place(str(path))
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ModelError("the file is too large for a model.", f"{MOST_BYTES // 1024**2} MB at most.", place=place)
        with path.open("rb") as file:
            if file.read(2) in (b"PK", b"\x80\x02", b"\x80\x04", b"\x80\x05"):
                raise ModelError("this is a pickle, which could run code.", "Only safetensors are read.", place=place)
        with safe_open(str(path), "pt") as opened:
            card = json.loads((opened.metadata() or {}).get("card", "null"))
            weights = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except ModelError:
        raise
    except OSError as error:
        raise ModelError(f"the model cannot be read: {error.strerror or error}.", place=place) from None
    except (SafetensorError, ValueError) as error:
        raise ModelError(
            f"this is no model: {str(error).splitlines()[0]}.", "Give a safetensors file.", place=place
        ) from None
    if not isinstance(card, dict) or card.get("kind") != kind:
        found = card.get("kind") if isinstance(card, dict) else "nothing"
        raise ModelError(f"this is no {kind}: its card says {found!r}.", f"Give a file made as a {kind}.", place=place)
    if card.get("sha256") != weights_hash(weights):
        raise ModelError("the weights are not those the card was written for.", "Get the file anew.", place=place)
    if not all(math.isfinite(float(tensor.double().sum())) for tensor in weights.values()):
        raise ModelError("the weights hold numbers that are none.", "Train it anew.", place=place)
    return weights, card


def read_card(path: Path, kind: str) -> dict[str, Any]:
    """The card of a model of some kind, without its weights, and without torch.

    Raises:
        MissingError: safetensors is not installed.
        ModelError: it is no model, or one of another kind.
    """
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError:
        raise MissingError("safetensors is not installed.", 'pip install "mirepoix[neural]".') from None
    try:
        with safe_open(str(path), "numpy") as opened:
            card = json.loads((opened.metadata() or {}).get("card", "null"))
    except (SafetensorError, ValueError, OSError) as error:
        raise ModelError(f"this is no model: {str(error).splitlines()[0]}.", place=Place(str(path))) from None
    if not isinstance(card, dict) or card.get("kind") != kind:
        raise ModelError(f"this is no {kind}.", f"Give a file made as a {kind}.", place=Place(str(path)))
    return card


def open_model(path: Path, kind: str, build: Callable[[dict[str, Any]], Model]) -> tuple[Model, dict[str, Any]]:
    """A model at rest with its card: built as the card says, and filled with the weights in single precision.

    Raises:
        ModelError: as `read_model`, or card and weights do not fit.
    """
    weights, card = read_model(path, kind)
    try:
        model = build(card)
        model.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    except (TypeError, KeyError, ValueError, RuntimeError) as error:
        cause = f"its card and its weights do not fit: {str(error).splitlines()[0]}."
        raise ModelError(cause, place=Place(str(path))) from None
    return model.eval(), card


def weights_hash(weights: dict[str, Tensor]) -> str:
    """A hash of names, shapes and numbers."""
    digest = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        digest.update(f"{name}:{tuple(tensor.shape)}:{tensor.dtype};".encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()
