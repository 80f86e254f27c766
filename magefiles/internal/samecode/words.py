"""Print the syntax trees of Python files without their texts, as JSON. Standard input is a JSON list of paths."""

import ast
import json
import pathlib
import re
import sys

VERB = re.compile(r"%(?:\(\w+\))?[-+# 0]*[\d.*]*[a-zA-Z%]|\{[^{}]*\}")


def wordless(node: ast.expr) -> ast.expr:
    """Return an argument without its literal text. Formatting verbs and interpolated expressions are kept."""
    if isinstance(node, ast.JoinedStr):
        return ast.JoinedStr([v for v in node.values if not isinstance(v, ast.Constant)])
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        verbs: list[ast.expr] = [ast.Constant(v) for v in VERB.findall(node.value)]
        return ast.JoinedStr(verbs)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        right = wordless(node.right) if isinstance(node.op, ast.Add) else node.right
        return ast.BinOp(wordless(node.left), node.op, right)
    return node


class Words(ast.NodeTransformer):
    """Removes texts from a syntax tree, and collects the texts of tests."""

    def __init__(self, test: bool) -> None:
        """Create a transformer, for a test or for other code."""
        self.test = test
        self.texts: list[dict[str, object]] = []

    def visit(self, node: ast.AST) -> ast.AST:
        """Remove the texts from a node."""
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if ast.get_docstring(node, clean=False) is not None:
                node.body = node.body[1:]
            functions = [n for n in node.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
            names = [n.name for n in functions]
            for n in functions:
                if self.test and n.name.startswith("test_") and names.count(n.name) == 1:
                    n.name = "test_"
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            node.exc.args = [wordless(a) for a in node.exc.args]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            node.args = [wordless(a) for a in node.args]
        elif self.test and isinstance(node, ast.Constant) and isinstance(node.value, str):
            self.texts.append({"line": node.lineno if hasattr(node, "lineno") else 0, "text": node.value})
            return ast.Constant("")
        return self.generic_visit(node)


def look(path: str) -> dict[str, object]:
    """Return the syntax tree of a file without texts, and the texts if it is a test."""
    file = pathlib.Path(path)
    words = Words("tests" in file.parts or file.name.startswith(("test_", "conftest")))
    tree = words.visit(ast.parse(file.read_text()))
    return {"code": ast.dump(tree), "texts": words.texts}


print(json.dumps([look(path) for path in json.load(sys.stdin)]))
