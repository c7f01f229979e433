# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The command `lucaone`: reads the arguments and hands them to the room that does the work.

Rooms are imported when their command runs, so that `lucaone --help` answers at once.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

SEQ_TYPE_HELP = (
    "molecule type: gene (DNA, RNA) or prot for all, header (the word seq_type=... in each FASTA "
    "description), or column:NAME (tables)"
)


class UsageError(Exception):
    """An option whose value cannot be right, whatever the files hold."""


def _embed(options: dict[str, Any]) -> None:
    from embedding import embed_file
    from embedding.files import check_output, check_seq_type

    output = options["output"]
    try:
        check_output(output)
        check_seq_type(options["seq_type"])
    except ValueError as error:
        raise UsageError(error) from None
    summary = embed_file(**{name: value for name, value in options.items() if value is not None})
    if summary.cleaning:
        print(f"note: {summary.cleaning}", file=sys.stderr)
    print(
        f"{output}: {summary.records:,} records, {summary.residues:,} residues, "
        f"vectors of {summary.hidden_size:,} numbers"
    )


def _convert(options: dict[str, Any]) -> None:
    from hub_upload import convert

    print(convert(**options))


def _init(options: dict[str, Any]) -> None:
    from hub_upload import initialize

    print(initialize(**{name: value for name, value in options.items() if value is not None}))


def _add_embed(commands: Any) -> None:
    parser = _command(
        commands,
        "embed",
        _embed,
        "embed every sequence of a file",
        "lucaone embed proteins.fasta proteins.parquet --model lucaone --seq-type prot",
    )
    parser.add_argument(
        "source", metavar="INPUT", help="FASTA, CSV or TSV, plain or gzipped; - for standard input"
    )
    parser.add_argument("output", metavar="OUTPUT", help="a .parquet or .safetensors file")
    parser.add_argument(
        "--model", required=True, help="folder or Hub repository of a LucaOne model"
    )
    parser.add_argument("--seq-type", required=True, metavar="TYPE", help=SEQ_TYPE_HELP)
    parser.add_argument(
        "--pooling",
        default="mean",
        choices=("mean", "cls", "max", "none"),
        help="one vector per sequence, or with none one per residue (default: mean)",
    )
    parser.add_argument("--id-column", metavar="NAME", help="column of the ids (tables)")
    parser.add_argument(
        "--sequence-column", metavar="NAME", help="column of the sequences (tables)"
    )
    parser.add_argument(
        "--keep-gaps", action="store_true", help="keep gaps and stops (- . *) in the sequences"
    )
    parser.add_argument(
        "--tokens-per-batch",
        type=_positive,
        metavar="N",
        help="tokens that go through the model at once",
    )
    parser.add_argument(
        "--device", help="cpu, cuda, cuda:1, ... (default: the GPU if there is one)"
    )
    parser.add_argument(
        "--dtype",
        choices=("float32", "bfloat16", "float16"),
        help="precision of the computation (default: as stored)",
    )
    parser.add_argument(
        "--attn-implementation", metavar="NAME", help="attention back-end (default: sdpa)"
    )


def _add_convert(commands: Any) -> None:
    parser = _command(
        commands,
        "convert",
        _convert,
        "turn a published checkpoint into a folder that AutoModel loads",
        "lucaone convert checkpoint-step36000000 lucaone --labels label/",
    )
    parser.add_argument("source", metavar="SOURCE", help="folder of a published checkpoint")
    parser.add_argument("dest", metavar="DEST", help="folder to be made")
    parser.add_argument(
        "--logs",
        metavar="FILE",
        help="logs.txt of the training run, if it is not where it was published",
    )
    parser.add_argument("--labels", metavar="DIR", help="folder with the published label files")
    parser.add_argument(
        "--seq-type", metavar="TYPE", help="molecule type the tokenizer takes when none is given"
    )
    parser.add_argument(
        "--dtype",
        choices=("float32", "bfloat16", "float16"),
        help="store weights in this precision (default: as they are)",
    )


def _add_init(commands: Any) -> None:
    parser = _command(
        commands,
        "init",
        _init,
        "make a new model with random weights, or start one from ESM-2",
        "lucaone init small --hidden-size 320 --num-hidden-layers 6 --num-attention-heads 20",
    )
    parser.add_argument("dest", metavar="DEST", help="folder to be made")
    parser.add_argument(
        "--from-esm2",
        metavar="DIR",
        help="folder of an ESM-2 checkpoint, as the published model started",
    )
    parser.add_argument("--hidden-size", type=_positive, metavar="N", help="width (default: 2560)")
    parser.add_argument(
        "--num-hidden-layers", type=_positive, metavar="N", help="blocks (default: 20)"
    )
    parser.add_argument(
        "--num-attention-heads", type=_positive, metavar="N", help="heads (default: 40)"
    )
    parser.add_argument(
        "--seq-type", metavar="TYPE", help="molecule type the tokenizer takes when none is given"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of the random weights (default: 0)"
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return number


def _command(
    commands: Any, name: str, run: Callable[[dict[str, Any]], None], about: str, example: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=about,
        description=about[0].upper() + about[1:] + ".",
        epilog=f"example: {example}",
    )
    parser.set_defaults(run=run)
    return parser


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="lucaone", description="LucaOne for DNA, RNA and protein."
    )
    parser.add_argument(
        "--version", action="version", version=f"lucaone-hf {version('lucaone-hf')}"
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_embed(commands)
    _add_convert(commands)
    _add_init(commands)
    return parser


def _quiet() -> None:
    """Leave the terminal to our own messages; progress bars only where somebody watches."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    if not sys.stderr.isatty():
        logging.disable_progress_bar()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: what follows `lucaone`; `sys.argv` where not given.

    Returns:
        0, or 1 when the job failed; wrong usage exits with 2. An error is one line.
    """
    options = vars(build_parser().parse_args(arguments))
    run = options.pop("run")
    _quiet()
    try:
        run(options)
    except UsageError as error:
        print(f"lucaone: error: {error}", file=sys.stderr)
        return 2
    except (ValueError, OSError, RuntimeError, ImportError) as error:
        print(f"lucaone: error: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lucaone: interrupted", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
