# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The command `lucaone`: reads the arguments and hands them to the room that does the work.

Rooms are imported when their command runs, so that `lucaone --help` answers at once. The names of
the arguments are those of the function that does the work; what is not given is not handed on.
"""

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any, NoReturn

DTYPES = ("float32", "bfloat16", "float16")
DEFAULT_SEQ_TYPE_HELP = (
    "gene or prot: store it with the model as the molecule type of sequences that come without one"
)


class UsageError(Exception):
    """An option whose value cannot be right, whatever the files hold."""


def _embed(options: dict[str, Any]) -> None:
    from embedding import embed_file
    from embedding.embedder import find_device
    from embedding.files import check_output, check_seq_type

    try:
        check_output(options["output"])
        check_seq_type(options["seq_type"])
        find_device(options.get("device"))
    except ValueError as error:
        raise UsageError(error) from None
    summary = embed_file(**options)
    if summary.cleaning:
        print(f"note: {summary.cleaning}", file=sys.stderr)
    print(
        f"{options['output']}: {summary.records:,} records, {summary.residues:,} residues, "
        f"vectors of {summary.hidden_size:,} numbers"
    )


def _convert(options: dict[str, Any]) -> None:
    from hub_upload import CheckpointError, convert

    try:
        print(convert(**options))
    except CheckpointError:
        raise
    except ValueError as error:  # the options; what is wrong with files is a CheckpointError
        raise UsageError(error) from None


def _init(options: dict[str, Any]) -> None:
    from hub_upload import CheckpointError, initialize

    try:
        print(initialize(**options))
    except CheckpointError:
        raise
    except ValueError as error:
        raise UsageError(error) from None


def _add_embed(commands: Any) -> None:
    parser = _command(
        commands,
        "embed",
        _embed,
        "turn every sequence of a file into a vector",
        "lucaone embed proteins.fasta proteins.parquet --model lucaone --seq-type prot",
    )
    parser.add_argument(
        "source",
        metavar="INPUT",
        help="FASTA, CSV or TSV, plain or gzipped; - for FASTA from standard input",
    )
    parser.add_argument("output", metavar="OUTPUT", help="a .parquet or .safetensors file")
    parser.add_argument(
        "--model",
        required=True,
        metavar="MODEL",
        help="folder of a LucaOne model, or its name on the Hugging Face Hub (OWNER/NAME)",
    )
    parser.add_argument(
        "--seq-type",
        required=True,
        metavar="TYPE",
        help="molecule type: gene (DNA, RNA) or prot (protein) for all sequences; header, where "
        "each FASTA header says seq_type=gene or seq_type=prot; or column:NAME, the column of a "
        "table that says gene or prot",
    )
    parser.add_argument(
        "--pooling",
        choices=("mean", "cls", "max", "none"),
        help="mean or max over the residues or nucleotides of a sequence, the vector of its start "
        "token (cls), or none: a vector for each residue (default: mean)",
    )
    parser.add_argument(
        "--id-column", metavar="NAME", help="the column of a table that holds the ids"
    )
    parser.add_argument(
        "--sequence-column", metavar="NAME", help="the column of a table that holds the sequences"
    )
    parser.add_argument(
        "--keep-gaps",
        action="store_true",
        help="keep gaps (- and .) and stops (*); otherwise gaps and a stop at the end are removed",
    )
    parser.add_argument(
        "--tokens-per-batch",
        type=_positive,
        metavar="N",
        help="residues that go through the model at once; fewer need less memory (default: 4096, "
        "on a GPU 32768)",
    )
    parser.add_argument("--device", help="cpu, cuda, cuda:1, ... (default: a GPU if there is one)")
    parser.add_argument(
        "--dtype", choices=DTYPES, help="precision of the computation (default: as stored)"
    )
    parser.add_argument(
        "--attn-implementation",
        choices=("eager", "sdpa", "flash_attention_2", "flash_attention_3", "flex_attention"),
        help="how attention is computed (default: sdpa)",
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
    parser.add_argument("--seq-type", metavar="TYPE", help=DEFAULT_SEQ_TYPE_HELP)
    parser.add_argument(
        "--dtype", choices=DTYPES, help="precision to store weights in (default: as they are)"
    )


def _add_init(commands: Any) -> None:
    parser = _command(
        commands,
        "init",
        _init,
        "make a new, untrained model, or start one from ESM-2",
        "lucaone init small --hidden-size 320 --num-hidden-layers 6 --num-attention-heads 20",
        "Without options it has the published size: 1.8 billion parameters, 7 GB.",
    )
    parser.add_argument("dest", metavar="DEST", help="folder to be made")
    parser.add_argument(
        "--from-esm2",
        metavar="DIR",
        help="start, as the published model did, from the first 20 blocks of the ESM-2 model in "
        "this folder; widths are those of ESM-2",
    )
    parser.add_argument("--hidden-size", type=_positive, metavar="N", help="width (default: 2560)")
    parser.add_argument(
        "--num-hidden-layers", type=_positive, metavar="N", help="number of blocks (default: 20)"
    )
    parser.add_argument(
        "--num-attention-heads",
        type=_positive,
        metavar="N",
        help="number of attention heads in each block (default: 40)",
    )
    parser.add_argument("--seq-type", metavar="TYPE", help=DEFAULT_SEQ_TYPE_HELP)
    parser.add_argument(
        "--seed", type=int, metavar="N", help="number that fixes the random weights (default: 0)"
    )


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive whole number")
    return int(text)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say in one line what is wrong with the arguments, and exit with 2."""
        self.exit(2, f"lucaone: error: {message} (see {self.prog} --help)\n")


def _command(
    commands: Any,
    name: str,
    run: Callable[[dict[str, Any]], None],
    about: str,
    example: str,
    more: str = "",
) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=about,
        description=f"{about[0].upper()}{about[1:]}.\n{more}",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        # What is not given is left to the function that does the work.
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)
    return parser


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = _Parser(prog="lucaone", description="LucaOne for DNA, RNA and protein.")
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
    from huggingface_hub.utils import logging as hub_logging
    from transformers.utils import logging

    warnings.simplefilter("ignore")
    hub_logging.set_verbosity_error()
    logging.set_verbosity_error()
    if not sys.stderr.isatty():
        logging.disable_progress_bar()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: what follows `lucaone`; `sys.argv` where not given.

    Returns:
        0, or 1 when the job failed; wrong usage is 2, an interruption 130. An error is one line.
    """
    options = vars(build_parser().parse_args(arguments))
    run = options.pop("run")
    try:
        _quiet()
        run(options)
        sys.stdout.flush()
    except UsageError as error:
        return _failed(error, 2)
    except BrokenPipeError:
        # Who read our output has left, as `head` does; let Python not try again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    # RuntimeError is PyTorch's for lack of memory and for what a device cannot do.
    except (ValueError, OSError, RuntimeError, ImportError) as error:
        return _failed(error, 1)
    except KeyboardInterrupt:
        return _failed("interrupted", 130)
    return 0


def _failed(reason: object, status: int) -> int:
    message = str(reason).strip() or type(reason).__name__
    print(f"lucaone: error: {message.splitlines()[0]}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
