# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What happens beside the steps of a training."""

import time
from typing import Any

import torch
from accelerate.utils import broadcast
from tqdm.auto import tqdm
from transformers import TrainerCallback


class SaveByTime(TrainerCallback):
    """Saves a checkpoint when the last one is older than so many seconds."""

    def __init__(self, seconds: float):
        self.seconds, self.last = seconds, time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Decide in the first process, for all."""
        due = torch.tensor(time.monotonic() - self.last > self.seconds, device=args.device)
        control.should_save |= bool(broadcast(due) if args.world_size > 1 else due)

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Begin to count anew."""
        self.last = time.monotonic()


class Progress(TrainerCallback):
    """A bar where somebody watches, silence elsewhere."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Begin where the training does."""
        self.bar = tqdm(
            desc="training",
            total=state.max_steps,
            initial=state.global_step,
            unit=" steps",
            disable=None if state.is_world_process_zero else True,
            delay=2,
        )

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Go on."""
        self.bar.update(state.global_step - self.bar.n)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Show the last loss and metrics."""
        shown = {name: value for name, value in (logs or {}).items() if name.startswith("eval")}
        self.bar.set_postfix(shown or {"loss": (logs or {}).get("loss")}, refresh=False)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Leave the bar."""
        self.bar.close()
