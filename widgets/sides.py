"""Two versions of a recipe to go to and fro between, each with its own past."""

from __future__ import annotations

from dataclasses import dataclass, field

from studio.recipe import Recipe

MOST_STEPS = 200


@dataclass
class Side:
    """A version of the recipe; what was undone can be done again until something else is done."""

    recipe: Recipe
    past: list[Recipe] = field(default_factory=list)
    future: list[Recipe] = field(default_factory=list)

    def change(self, recipe: Recipe) -> None:
        """One step further."""
        if recipe == self.recipe:
            return
        self.past = [*self.past[-MOST_STEPS + 1 :], self.recipe]
        self.recipe, self.future = recipe, []

    def undo(self) -> bool:
        """One step back; False when there is none."""
        if not self.past:
            return False
        self.future.append(self.recipe)
        self.recipe = self.past.pop()
        return True

    def redo(self) -> bool:
        """One step forward again; False when there is none."""
        if not self.future:
            return False
        self.past.append(self.recipe)
        self.recipe = self.future.pop()
        return True


@dataclass
class Sides:
    """A and B; both begin as the same recipe."""

    a: Side
    b: Side
    letter: str = "A"

    @classmethod
    def of(cls, recipe: Recipe) -> Sides:
        """The side of a name."""
        return cls(Side(recipe), Side(recipe))

    @property
    def here(self) -> Side:
        """The side that is heard."""
        return self.a if self.letter == "A" else self.b

    @property
    def there(self) -> Side:
        """The other side."""
        return self.b if self.letter == "A" else self.a

    def swap(self) -> None:
        """Go to the other one."""
        self.letter = "B" if self.letter == "A" else "A"
