# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""`docs/checkpoints.md`, made of the catalogue."""

from .catalogue import PublishedCheckpoint, label_file, read_catalogue

_HEAD = """\
# The published checkpoints

<!-- Made by `python -m hub_upload.published > docs/checkpoints.md`; do not edit. -->

What `lucaone hub republish NAME SOURCE DEST` turns into a repository that `AutoModel` loads. SOURCE
is the folder of the checkpoint as it was published. The conversion is strict: a tensor that is
missing, left over or of another shape, or a checkpoint that is not the one of this name, is an
error. Without `--reference FILE`, values that the published code computed, the card says
"unverified"; no reference values of these checkpoints come with this package.

```sh
lucaone hub republish lucaone-36m checkpoint-step36000000 lucaone-36m --labels label/lucagplm/v2.0
lucaone hub push lucaone-36m someone/lucaone-36m          # shows what would be uploaded
```

"""
_TAIL = """\
The **original** layout (`config.json`, `pytorch.pth`, `logs.txt`) holds the heads of all tasks, the
**Hub** layout (`config.json`, `model.safetensors`) the encoder and the LM head. The number in a
name counts the records that one of 8 GPUs read; it is not the number of updates.

A licence is written here only where it could be read, and says nothing of other copies: the card
beside the files that were downloaded counts first, and `--license` above all. "not known" means
that the new card states no licence unless one of these two does.
"""
_LABELS = """\
## Label files

In the folder of `--labels`; the mask tasks have the vocabulary.
"""


def render_page() -> str:
    """Return the text of `docs/checkpoints.md`."""
    entries = read_catalogue().values()
    header = ["name", "what it is", "layouts", "steps", "updates", "records", "licence"]
    rows = [header, ["---"] * len(header), *map(_row, entries)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    tasks = list(dict.fromkeys(task for entry in entries for task in entry.tasks))
    lines = [f"- `{entry.name}`: {', '.join(entry.tasks)}" for entry in entries]
    files = [f"- {task}: `{file}`" for task in tasks if (file := label_file(task))]
    sections = [_HEAD + table, _TAIL, "## Tasks", "\n".join(lines), _LABELS, "\n".join(files)]
    return "\n\n".join(map(str.strip, sections)) + "\n"


def _row(entry: PublishedCheckpoint) -> list[str]:
    layouts = ", ".join(entry.layouts)
    if entry.hub:
        layouts += f" (`{entry.hub}`)"
    known = f"{entry.license} ({entry.license_source})" if entry.license else "not known"
    counts = (f"{count:,}" for count in (entry.steps, entry.updates, entry.records))
    return [f"`{entry.name}`", entry.about, layouts, *counts, known]
