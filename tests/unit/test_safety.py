"""What the library never does: load pickles, run shells, evaluate text."""

import ast

import pytest

from tests.helpers.support import ROOT

SOURCES = sorted((ROOT / "workflow" / "cordinr").rglob("*.py"))

FORBIDDEN = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "torch.load"}
FORBIDDEN |= {"torch.save", "np.load", "np.save", "np.savez", "yaml.load", "yaml.unsafe_load"}
FORBIDDEN |= {"yaml.full_load", "pd.read_pickle", "subprocess.getoutput"}

MODULES = {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal"}


def calls(tree: ast.AST):
    """Dotted names of what is called, and the keywords given."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), {word.arg: word.value for word in node.keywords}


@pytest.mark.parametrize("path", SOURCES, ids=[path.stem for path in SOURCES])
def test_no_pickle_no_shell_no_eval(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and not node.level
            else []
        )
    }
    assert not imported & MODULES
    for name, keywords in calls(tree):
        assert name not in FORBIDDEN
        assert not {"shell", "allow_pickle"} & keywords.keys()
        if name.startswith("subprocess."):
            assert "args" not in keywords
