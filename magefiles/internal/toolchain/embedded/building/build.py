"""Build a recipe with rattler-build: build.py RECIPE OUT. The last line of stdout is the archive's path."""

import json
import sys
from pathlib import Path
from typing import Any

import rattler_build as rb


class Log:
    """Prints the build script's output as it is produced."""

    def on_log(self, event: Any) -> None:  # noqa: ANN401 (rattler-build does not export the type)
        """Print a line, unless it refers to folders that will be deleted."""
        if "Script execution failed" not in event.message:
            print(event.message, file=sys.stderr, flush=True)

    def ignore(self, event: object) -> None:
        """Print no progress, because nothing is downloaded."""

    on_build_step = on_download_start = on_download_progress = on_download_complete = ignore


def render(recipe: Path, document: dict[str, Any]) -> list[rb.RenderedVariant]:
    """Write the recipe and let rattler-build evaluate it."""
    recipe.write_text(json.dumps(document))
    return rb.Stage0Recipe.from_file(recipe).render(rb.VariantConfig(), rb.RenderConfig())


def drop_invalid(recipe: Path, about: dict[str, Any]) -> None:
    """Drop fields of the about section that cannot be parsed, with a warning, as pixi does."""
    for field in ("license", "homepage", "repository", "documentation"):
        if field in about:
            try:
                render(recipe, {"package": {"name": "probe", "version": "0"}, "about": {field: about[field]}})
            except rb.RattlerBuildError as error:
                print(f"{field} {about.pop(field)!r} is left out: {error}", file=sys.stderr)


def build(recipe: Path, out: Path) -> list[Path]:
    """Build the only variant of a noarch recipe."""
    document = json.loads(recipe.read_text())
    drop_invalid(recipe, document.get("about", {}))
    variants = render(recipe, document)
    if len(variants) != 1:
        sys.exit(f"{len(variants)} variants of the recipe were rendered, but one was expected")
    result = variants[0].run_build(
        tool_config=rb.ToolConfiguration(test_strategy="skip"),
        output_dir=out,
        channels=[],
        no_build_id=True,
        no_include_recipe=True,
        progress_callback=Log(),
    )
    return result.packages


if __name__ == "__main__":
    try:
        print(*build(Path(sys.argv[1]), Path(sys.argv[2])), sep="\n")
    except rb.RattlerBuildError as error:
        sys.exit(str(error))
