# make lab: open the course in JupyterLab.  make test: run every test and every notebook.  make teach: nbgrader.
# make check: what is quick of all this, in a minute and a half.
# All first make the environment in .venv, once, from the pinned requirements.txt.

PY = .venv/bin/python
READY = .venv/.ready
NEEDED = import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c '$(NEEDED)' 2>/dev/null && { echo $$p; break; }; done)
LESSON ?=
FLAGS ?=

# The newest versions that pyproject.toml allows, in an environment of their own, for what they break.
test-newest:
	@$(PYTHON) -m venv --clear .venv-newest && .venv-newest/bin/python -m pip install --disable-pip-version-check \
		--quiet --upgrade -e '.[test]'
	@.venv-newest/bin/python -m pip freeze --exclude-editable >.venv-newest/versions.txt
	@OMP_NUM_THREADS=1 .venv-newest/bin/python -m pytest -n 2 -m "not slow"

.PHONY: lab check test test-newest notebooks html teach format lint clean

lab: $(READY)
	@$(PY) -m cnnlab lab my-lessons $(FLAGS)

check: lint
	@OMP_NUM_THREADS=1 $(PY) -m pytest -n 2 --dist=worksteal -m "not slow" --ignore=tests/browser --ignore=notebooks

test: $(READY)
	@OMP_NUM_THREADS=1 $(PY) -m pytest -n 2 --nbval

notebooks: $(READY)
	@$(PY) -m cnnlab.teaching.execute notebooks/$(LESSON)*.ipynb
	@$(PY) -m ruff format --quiet notebooks

html: $(READY)
	@$(PY) -m cnnlab.teaching.site site

teach: .venv-teaching/.ready

# nbgrader has an environment of its own, on top of .venv's packages.
.venv-teaching/.ready: requirements-teaching.txt $(READY)
	@$(PY) -m venv --clear .venv-teaching
	@$(PY) -c 'import site, sys; print(f"import os, site; site.addsitedir({site.getsitepackages()[0]!r}); os.environ.setdefault(\"JUPYTER_PATH\", \"{sys.prefix}/share/jupyter\")")' \
		>"$$(.venv-teaching/bin/python -c 'import site; print(site.getsitepackages()[0])')/of-the-course.pth"
	@.venv-teaching/bin/python -m pip install --disable-pip-version-check -r requirements-teaching.txt >.venv-teaching/install.log 2>&1 || { \
		echo "nbgrader could not be installed. Details: .venv-teaching/install.log."; exit 1; }
	@touch $@

format: $(READY)
	@$(PY) -m ruff check --quiet --fix . ; $(PY) -m ruff format .

lint: $(READY)
	@$(PY) -m ruff check . && $(PY) -m ruff format --check . && .venv/bin/actionlint

clean:
	@rm -rf .venv .venv-teaching .venv-newest

$(READY): requirements.txt constraints.txt pyproject.toml
	@[ -n "$(PYTHON)" ] && $(PYTHON) -c '$(NEEDED)' 2>/dev/null || { \
		echo "cnnlab needs Python 3.11 or newer, and found none: install it, or name it: make lab PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "This Python has no venv module: install it (on Debian and Ubuntu: apt install python3-venv) and run make again."; exit 1; }
	@echo "Installing the packages into .venv: once, some minutes, up to 7 GB of disk."
	@$(PYTHON) -m venv .venv >/dev/null && $(PY) -m pip install --disable-pip-version-check -r requirements.txt >.venv/install.log 2>&1 || { \
		echo "The packages could not be installed: is there a network, and disk space? Details: .venv/install.log. Then run make again."; exit 1; }
	@touch $(READY)
