# make demo     set up, and embed the sample sequences with the small model in lucaone_nano/
# make nano     simulate records and train that model anew (about 40 minutes on two cores)
# make nano-pair  train the model of pairs beside it anew (about 35 minutes)
# make test     set up and run the tests (some minutes); SLOW=1 adds the slow ones
# make lint     ruff, types
# make conformance   transformers' own test-suite on our classes, oldest and newest version
# make bench    speed, drift and memory beside the published port

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed
OLDEST := 5.6.0
NEWEST := 5.23.0
SAMPLE := sequence_io/sample.fasta

.PHONY: demo nano nano-pair test lint format conformance bench clean

$(INSTALLED): pyproject.toml constraints-dev.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints-dev.txt torch
	$(BIN)/pip install --quiet --constraint constraints-dev.txt --editable '.[dev]'
	touch $@

demo: $(INSTALLED)
	rm -rf demo && mkdir demo
	$(BIN)/lucaone embed $(SAMPLE) demo/embeddings.parquet --model lucaone_nano --seq-type header
	$(BIN)/python -c "import pandas; print(pandas.read_parquet('demo/embeddings.parquet'))"

nano: $(INSTALLED)
	$(BIN)/lucaone data simulate nano/records --records 40000 --proteins 40000 --species 300 \
		--orders 300 --families 1000 --min-length 32 --seed 1
	$(BIN)/lucaone pretrain lucaone-nano --train nano/records/train --eval nano/records/dev \
		--output nano/model

nano-pair: $(INSTALLED)
	mkdir -p nano
	$(BIN)/python -m benchmarks.nano_pairs simulate nano/pairs
	$(BIN)/lucaone pretrain benchmarks/lucaone-nano-codons.yaml --train nano/pairs/codons/train \
		--eval nano/pairs/codons/dev --model lucaone_nano --output nano/codons
	$(BIN)/lucaone finetune benchmarks/lucaone-nano-pair.yaml --data nano/pairs/pairs \
		--model nano/codons --group-column group --output nano/pair

test: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2 $(if $(SLOW),-m "slow or not slow")
	@echo "slow tests run with: make test SLOW=1"

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

conformance: $(INSTALLED)
	$(BIN)/python tests/conformance/run.py --transformers $(OLDEST) --transformers $(NEWEST)

bench: $(INSTALLED)
	test -d .bench || $(BIN)/pip install --quiet --no-deps --target .bench lucaone==1.1.1
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv .bench .conformance demo nano build *.egg-info
