"""Model files: weights and a card in one safetensors file, which holds numbers and text and can run nothing.

The card says which kind of model it is, in which version of that kind's format, and how large; all of it is checked, and
compared with the shapes of the weights, before anything of its size is made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from studio.disk import check_regular, write_whole
from studio.errors import MissingError, ModelError, Place, Problems, RecipeError, StudioError, shown, within
from studio.provenance import STUDIO, installed
from studio.records import Kind
from studio.stored import SHA256, Members, Real, check_format, parse_json

if TYPE_CHECKING:
    from torch import Tensor, nn

Model = TypeVar("Model", bound="nn.Module")

MOST_BYTES = 64 * 1024**2
MOST_CARD = 4 * 1024**2
"""Characters of a card."""

_PICKLES = (b"PK", b"\x80\x02", b"\x80\x04", b"\x80\x05")


@dataclass(frozen=True)
class CardFormat:
    """What the cards of one kind of model hold; they can be read without torch.

    Attributes:
        kind: what a card calls it.
        version: the newest version of its format.
        fields: what a card must hold, besides `kind` and `version`; more may stand beside it.
    """

    kind: str
    version: int
    fields: Mapping[str, Kind]

    def read_card(self, path: Path) -> dict[str, Any]:
        """The card of a model, checked, without its weights.

        Raises:
            MissingError: safetensors is not installed.
            ModelError: it is no model, one of another kind or of a later format, or a field is missing or out of range.
        """
        with _naming(path), _opened(path, "numpy") as opened:
            return self.card_of(opened)

    def card_of(self, opened: Any) -> dict[str, Any]:
        """The card in an open safetensors file.

        Raises:
            StudioError: as `check`, or it is too long or no JSON.
        """
        text = (opened.metadata() or {}).get("card", "null")
        if len(text) > MOST_CARD:
            raise ModelError("its card is too long.", f"{MOST_CARD // 1024**2} million characters at most.")
        return self.check(parse_json(text))

    def check(self, card: object) -> dict[str, Any]:
        """A card, as it should be.

        Raises:
            StudioError: it is of another kind, of a later format, or a field is missing or out of range.
        """
        if not isinstance(card, dict) or card.get("kind") != self.kind:
            found = card.get("kind") if isinstance(card, dict) else "nothing"
            raise ModelError(f"this is no {self.kind}: its card says {shown(found)}.", f"Give a {self.kind}.")
        check_format(card, "version", self.version, f"a {self.kind}")
        return Members(of={"sha256": SHA256, **self.fields}, more=True).parse(card)


@dataclass(frozen=True)
class ModelFormat(Generic[Model]):
    """A kind of model file: its card, and how a model without weights is made of a card that has been checked."""

    card: CardFormat
    build: Callable[[dict[str, Any]], Model]

    def load(self, path: Path) -> tuple[Model, dict[str, Any]]:
        """A model at rest, in single precision, with its card.

        Raises:
            ModelError: it is no model, one of another kind or of a later format, too large or damaged, its card is out of
                range or does not fit its weights, or these hold numbers that are none; with the file and the field.
        """
        weights, card = self.read(path)
        model = self.build(card)
        model.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
        return model.eval(), card

    def read(self, path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """The weights and the card, checked in full.

        Raises:
            ModelError: as `load`.
        """
        with _naming(path):
            with _opened(path, "pt") as opened:
                names = list(opened.keys())
                card = self.card.card_of(opened)
                self._check_shapes(card, {name: opened.get_slice(name).get_shape() for name in names})
                weights = {name: opened.get_tensor(name) for name in names}
            for name, tensor in weights.items():
                with within("weights", name):
                    if not tensor.is_floating_point() or not bool(tensor.isfinite().all()):
                        raise ModelError("the weights hold numbers that are none.", "Train it anew.")
            if card["sha256"] != weights_hash(weights):
                raise ModelError("the weights are not those the card was written for.", "Get the file anew.")
            return weights, card

    def _check_shapes(self, card: dict[str, Any], found: Mapping[str, list[int]]) -> None:
        """Find out whether the weights are as large as the card says, on a model that takes no memory."""
        import torch

        with torch.device("meta"):
            wanted = {name: list(tensor.shape) for name, tensor in self.build(card).state_dict().items()}
        for name in sorted({*wanted, *found}):
            with within("weights", name):
                if name not in found or name not in wanted:
                    lack = "is missing" if name in wanted else "does not belong there"
                    raise ModelError(f"its card and its weights do not fit: this one {lack}.", "Get the file anew.")
                if found[name] != wanted[name]:
                    cause = f"its card and its weights do not fit: {found[name]} numbers, not {wanted[name]}."
                    raise ModelError(cause, "Get the file anew.")


def write_model(path: Path, weights: dict[str, Tensor], card: dict[str, Any]) -> None:
    """Write a model, whole or not at all; its card gets the hash of the weights and the version that wrote it.

    Raises:
        OutputError: the file cannot be written.
    """
    from safetensors.torch import save

    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in sorted(weights.items())}
    card = card | {"studio": installed(STUDIO), "sha256": weights_hash(plain)}
    write_whole(path, save(plain, {"card": json.dumps(card, allow_nan=False)}))


def weights_hash(weights: dict[str, Tensor]) -> str:
    """A hash of names, shapes and numbers."""
    digest = hashlib.sha256()
    for name, tensor in sorted(weights.items()):
        digest.update(f"{name}:{tuple(tensor.shape)}:{tensor.dtype};".encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


LEVEL = Real(low=-300, high=300)
"""A level in dB, as a card says it."""


def check_count(card: Mapping[str, Any], key: str, wanted: int) -> None:
    """Find out whether a card names as many as its shape says.

    Raises:
        RecipeError: it does not.
    """
    if len(card[key]) != wanted:
        raise RecipeError(f"{len(card[key])} named, and a shape for {wanted}.", path=(key,))


@contextmanager
def _opened(path: Path, framework: str) -> Iterator[Any]:
    """An open safetensors file."""
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError:
        raise MissingError("safetensors is not installed.", 'pip install "mirepoix[neural]".') from None
    check_regular(path)
    if path.stat().st_size > MOST_BYTES:
        raise ModelError("the file is too large for a model.", f"{MOST_BYTES // 1024**2} MB at most.")
    with path.open("rb") as file:
        if file.read(2) in _PICKLES:
            raise ModelError("this is a pickle, which could run code.", "Only safetensors are read.")
    try:
        with safe_open(str(path), framework) as opened:
            yield opened
    except StudioError:
        raise
    except (SafetensorError, ValueError) as error:
        cause = f"this is no model: {str(error).splitlines()[0]}."
        raise ModelError(cause, "Give a safetensors file.") from None


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Errors become those of a model, and name its file."""

    def named(error: StudioError) -> ModelError:
        return ModelError(error.cause, error.mend, path=error.path, place=error.place or Place(str(path)))

    try:
        yield
    except Problems as problems:
        raise Problems(named(error) for error in problems.errors) from None
    except MissingError:
        raise
    except StudioError as error:
        raise named(error) from None
    except OSError as error:
        raise ModelError(f"the model cannot be read: {error.strerror or error}.", place=Place(str(path))) from None
