# Copyright 2026 The lucaone-hf authors.
# SPDX-License-Identifier: Apache-2.0
"""What pre-training and fine-tuning have in common: settings, steps, a Trainer, jobs that go on."""
