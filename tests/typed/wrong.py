"""What a typed user must be told of; every line marked `# wrong` is one that `mypy --strict` refuses."""

import studio
from studio import Track
from studio.extend import Effect, RenderContext

studio.rendr("song.yaml")  # wrong
studio.render(3)  # wrong
studio.load("song.yaml").set("keys.pan")  # wrong
tempo: str = studio.render("song.yaml").mix.rate  # wrong


Track(par="all")  # wrong


class Silent(Effect):
    """Opens into nothing."""

    def open(self, context: RenderContext) -> None:  # wrong
        """Gives no run."""
