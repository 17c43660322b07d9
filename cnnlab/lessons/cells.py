"""The cells of the notebook that this kernel serves: which of them did not run, and what a missing name means."""

import ast
import re
import sys
from types import TracebackType


def did_not_run(name: str) -> bool:
    """Whether the cell that defines a name last cannot be read by Python, so that what the name holds is older."""
    shell = _shell()
    for text in reversed(shell.user_ns.get("In", []) if shell else []):
        try:
            body = ast.parse(text).body
        except SyntaxError:
            if re.search(rf"^[ \t]*((def|class)\s+{name}\b|{name}\s*[:=])", text, re.M):
                return True
        else:
            if any(name in _defined(statement) for statement in body):
                return False
    return False


def explain_missing_names() -> None:
    """From now on a name that is not defined comes with a note: a cell above may not have run to its end."""
    if shell := _shell():
        shell.set_custom_exc((NameError,), _with_note)


def _with_note(
    shell: object, kind: type[NameError], error: NameError, trace: TracebackType, tb_offset: int | None = None
) -> None:
    if error.name and not isinstance(error, UnboundLocalError):
        error.add_note(
            f"If a cell above makes {error.name!r}, it has not run yet, or not to its end: run that cell first."
        )
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)


def _shell() -> object | None:
    """IPython's, where there is one; it is not imported for it."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython else None


def _defined(statement: ast.stmt) -> set[str]:
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return {statement.name}
    targets = getattr(statement, "targets", [getattr(statement, "target", None)])
    return {node.id for target in targets if target for node in ast.walk(target) if isinstance(node, ast.Name)}
