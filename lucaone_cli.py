# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""The command `lucaone`: reads the arguments and hands them to the room that does the work.

Every room declares its commands in `ROOM.commands`, which imports nothing heavy, so that
`lucaone --help` answers at once. The names of the options are those of the function that does the
work; what is not given is not handed on.
"""

import argparse
import importlib
import logging
import os
import sys
import warnings
from collections.abc import Callable, Collection, Sequence
from importlib.metadata import version
from typing import Any, NoReturn

ROOMS = ("embedding", "finetune", "pretraining", "hub_upload", "lucaone_space")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say in one line what is wrong with the arguments, and exit with 2."""
        self.exit(2, f"lucaone: error: {message} (see {self.prog} --help)\n")


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        """Look the version up only when asked for it."""
        print(f"lucaone-hf {version('lucaone-hf')}")
        parser.exit()


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive whole number")
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def build_parser() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """Return the parser of the whole command line, and those of the commands by their names."""
    parser = _Parser(prog="lucaone", description="LucaOne for DNA, RNA and protein.")
    parser.add_argument(
        "--version", action=_Version, nargs=0, default=argparse.SUPPRESS, help="print the version"
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(
        name: str,
        run: Callable[[dict[str, Any]], None],
        about: str,
        example: str,
        more: str = "",
    ) -> argparse.ArgumentParser:
        """Declare a command, of one word or two; options may be of type "positive" or "count"."""
        command = commands.add_parser(
            name,
            help=about,
            description=f"{about[0].upper()}{about[1:]}.\n{more}",
            epilog=f"example:\n  {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            # What is not given is left to the function that does the work.
            argument_default=argparse.SUPPRESS,
            allow_abbrev=False,
        )
        command.register("type", "positive", _positive)
        command.register("type", "count", _count)
        command.set_defaults(run=run)
        return command

    for room in ROOMS:
        importlib.import_module(f"{room}.commands").add_to(add)
    return parser, dict(commands.choices)


def _quiet() -> None:
    """Leave the terminal to our own messages; progress bars only where somebody watches."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    if not sys.stderr.isatty():
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()


def _with_command(
    parser: argparse.ArgumentParser, arguments: list[str], names: Collection[str]
) -> list[str]:
    """Return the arguments, with the words of a command of two words in one."""
    words = " ".join(arguments[:2])
    if words in names:
        return [words, *arguments[2:]]
    first = words.partition(" ")[0]
    group = [name for name in names if name.startswith(f"{first} ") and first not in names]
    if group and arguments[1:] in (["-h"], ["--help"]):
        print("\n".join(f"lucaone {name} --help" for name in group))
        parser.exit()
    if group:
        parser.error(f"{first}: choose {', '.join(name.split()[1] for name in group)}")
    return arguments


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: what follows `lucaone`; `sys.argv` where not given.

    Returns:
        0, or 1 when the job failed; wrong usage is 2, an interruption 130. An error is one line.
    """
    parser, names = build_parser()
    given = sys.argv[1:] if arguments is None else arguments
    words = _with_command(parser, list(given), names)
    found, unknown = parser.parse_known_args(words)
    if unknown:  # of the command, whose --help tells what there is
        names.get(words[0], parser).error(f"unrecognized arguments: {' '.join(unknown)}")
    options = vars(found)
    run = options.pop("run")
    try:
        _quiet()
        run(options)
        sys.stdout.flush()
    except argparse.ArgumentError as error:  # a value that cannot be right, whatever files hold
        return _failed(error, 2)
    except BrokenPipeError:
        # Who read our output has left, as `head` does; let Python not try again at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    # RuntimeError is PyTorch's for lack of memory and for what a device cannot do.
    except (ValueError, OSError, RuntimeError, ImportError, MemoryError) as error:
        return _failed(error, 1)
    except KeyboardInterrupt as interruption:
        return _failed(str(interruption) or "interrupted", 130)
    return 0


def _failed(reason: object, status: int) -> int:
    message = str(reason).strip() or type(reason).__name__
    print(f"lucaone: error: {message.splitlines()[0]}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
