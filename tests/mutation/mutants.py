"""Small wrong changes to the rules of a guideline: what a slip of the pen would look like.

The rules of her2path are data at module level, which most tools for mutation testing leave alone,
and their mistakes have shapes of their own: a cut that includes its end, a dropped row, group 2 in
place of group 3, one percentage in place of another.  Each mutant is one such change to the syntax
tree of one module.  Docstrings, annotations, imports and decorators are not changed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from itertools import chain

from her2path.domain import case, flags, ihc, ish, verdict

# Enumerations whose members can be confused, read from modules that hold no rules; those that the
# mutated modules define themselves are listed by their members.
_ENUMS: dict[str, tuple[str, ...]] = {
    **{
        kind.__name__: tuple(kind.__members__)
        for kind in (
            case.Specimen,
            case.Controls,
            case.TumourSite,
            flags.Flag,
            ihc.IhcScore,
            ihc.StainingClass,
            ihc.Reactivity,
            ihc.TallyUnit,
            ish.Probe,
            verdict.State,
        )
    },
    "IhcFinding": (
        "NOT_DONE",
        "INDETERMINATE",
        "ZERO",
        "ONE_PLUS",
        "TWO_PLUS",
        "THREE_PLUS",
        "NEGATIVE",
        "EQUIVOCAL",
        "POSITIVE",
    ),
    "IshFinding": (
        "NOT_DONE",
        "INDETERMINATE",
        "GROUP_1",
        "GROUP_2",
        "GROUP_3",
        "GROUP_4",
        "GROUP_5",
        "AMPLIFIED",
        "EQUIVOCAL",
        "NOT_AMPLIFIED",
    ),
    "RecountFinding": ("NONE", "INVALID", "SAME", "OTHER"),
    "CommentKind": ("MANDATORY", "ACTION", "NOTE"),
    "RecountUse": ("CONFIRM", "ADD"),
}
_BESIDE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
}
_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.LtE: ast.Gt,
    ast.Gt: ast.LtE,
    ast.GtE: ast.Lt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OTHER_OPERATOR: dict[type[ast.operator], type[ast.operator]] = {
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.Mod: ast.Mult,
}
# Names of one family stand for things that can be confused: PCT_STRONG and PCT_STAINED.
_FAMILIES = ("PCT_", "CLUSTER_", "_OVER_BLANK", "COPIES", "RATIO")
TEXT = "text"


@dataclass(frozen=True)
class Mutant:
    """One change to one module."""

    module: str
    line: int
    operator: str
    before: str
    after: str
    place: tuple[tuple[str, int | None], ...]
    """Fields and positions that lead from the module to the changed node."""
    replacement: ast.AST | None
    """None: the node is dropped."""

    @property
    def key(self) -> str:
        """Name it, the same in every run over the same source."""
        path = ".".join(name if at is None else f"{name}{at}" for name, at in self.place)
        return f"{self.module}:{path}:{self.operator}:{self.after}"

    def tree(self, source: str) -> ast.Module:
        """Build the changed module."""
        root = ast.parse(source)
        holder: ast.AST = root
        for name, at in self.place[:-1]:
            child = getattr(holder, name)
            holder = child if at is None else child[at]
        name, at = self.place[-1]
        if at is None:
            setattr(holder, name, deepcopy(self.replacement))
        elif self.replacement is None:
            del getattr(holder, name)[at]
            if isinstance(holder, ast.Dict):
                del holder.values[at]
        else:
            getattr(holder, name)[at] = deepcopy(self.replacement)
        return ast.fix_missing_locations(root)


def mutants_of(module: str, source: str, *, texts: bool) -> list[Mutant]:
    """List every mutant of a module; `texts` adds those of its words."""
    tree = ast.parse(source)
    families = _families(tree)
    found = []
    for place, node in _places(tree):
        for operator, replacement in _changes(node, families):
            if operator == TEXT and not texts:
                continue
            before = ast.unparse(node)
            after = "" if replacement is None else ast.unparse(replacement)
            line = getattr(node, "lineno", 0)
            found.append(Mutant(module, line, operator, before, after, place, replacement))
        found += _drops(module, place, node)
    return found


Place = tuple[tuple[str, int | None], ...]
_NOT_MUTATED = {"annotation", "returns", "decorator_list", "type_params", "bases"}


def _places(node: ast.AST, place: Place = ()) -> Iterator[tuple[Place, ast.AST]]:
    """Walk everything that may be changed."""
    for name, value in ast.iter_fields(node):
        if name in _NOT_MUTATED:
            continue
        for at, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(child, ast.AST) or isinstance(child, ast.Import | ast.ImportFrom):
                continue
            if _is_docstring(child) or _is_type(node, name, child):
                continue
            here = (*place, (name, at))
            yield here, child
            yield from _places(child, here)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_type(parent: ast.AST, field: str, node: ast.AST) -> bool:
    """Whether it is an alias of a type or a type variable, which has no behaviour."""
    is_alias = isinstance(parent, ast.Module) and isinstance(node, ast.Assign)
    if not is_alias or field != "body":
        return False
    assert isinstance(node, ast.Assign)
    called = node.value.func if isinstance(node.value, ast.Call) else node.value
    return ast.unparse(called).startswith(("TypeVar", "npt.", "Callable["))


def _families(tree: ast.Module) -> dict[str, tuple[str, ...]]:
    bound = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            bound |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            bound |= {target.id for target in targets if isinstance(target, ast.Name)}
    kin: dict[str, tuple[str, ...]] = {}
    for mark in _FAMILIES[:3]:
        members = sorted(name for name in bound if mark in name)
        kin |= {name: tuple(m for m in members if m != name) for name in members if name not in kin}
    counts = sorted(bound & {"RATIO", "COPIES", "CEP17_COPIES"})
    return kin | {name: tuple(m for m in counts if m != name) for name in counts}


Change = tuple[str, ast.AST | None]


def _changes(node: ast.AST, families: dict[str, tuple[str, ...]]) -> Iterator[Change]:
    """Every change to this very node."""
    yield from _of_operators(node)
    yield from _of_branches(node)
    yield from _of_names(node, families)


def _of_operators(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Compare():
            yield from _comparison(node)
        case ast.BinOp(op=ast.BitAnd() | ast.BitOr()):
            yield "condition: and/or", _with_operator(node)
            yield "condition: one part", node.left
            yield "condition: one part", node.right
        case ast.BinOp() if type(node.op) in _OTHER_OPERATOR:
            yield "arithmetic", _with_operator(node)
        case ast.UnaryOp(op=ast.Invert() | ast.Not() | ast.USub()):
            yield "negation dropped", node.operand
        case ast.BoolOp():
            yield from _connective(node)


def _of_branches(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.If() | ast.IfExp():
            changed = deepcopy(node)
            changed.test = ast.UnaryOp(ast.Not(), node.test)
            yield "branches swapped", changed
        case ast.Return(value=ast.expr()) if not _is_none(node.value):
            yield "returns nothing", ast.Return(ast.Constant(None))
        case ast.Expr(value=ast.Call()):
            yield "statement dropped", ast.Pass()


def _of_names(node: ast.AST, families: dict[str, tuple[str, ...]]) -> Iterator[Change]:
    match node:
        case ast.Constant():
            yield from _constant(node)
        case ast.Attribute(value=ast.Name(id=name)) if node.attr in _ENUMS.get(name, ()):
            members = _ENUMS[name]
            other = members[(members.index(node.attr) + 1) % len(members)]
            yield "member swapped", ast.Attribute(node.value, other, node.ctx)
        case ast.Name(ctx=ast.Load()):
            for other in families.get(node.id, ())[:2]:
                yield "quantity swapped", ast.Name(other, node.ctx)


def _is_none(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _comparison(node: ast.Compare) -> Iterator[Change]:
    for table, name in ((_BESIDE, "end of a cut"), (_OPPOSITE, "comparison turned round")):
        for at, op in enumerate(node.ops):
            if type(op) in table:
                ops = [*node.ops[:at], table[type(op)](), *node.ops[at + 1 :]]
                yield name, ast.Compare(node.left, ops, node.comparators)


def _with_operator(node: ast.BinOp) -> ast.BinOp:
    return ast.BinOp(node.left, _OTHER_OPERATOR[type(node.op)](), node.right)


def _connective(node: ast.BoolOp) -> Iterator[Change]:
    other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    yield "condition: and/or", ast.BoolOp(other, node.values)
    for at in range(len(node.values)):
        rest = [*node.values[:at], *node.values[at + 1 :]]
        yield "condition: one part", rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def _constant(node: ast.Constant) -> Iterator[Change]:
    value = node.value
    if isinstance(value, bool):
        yield "truth turned round", ast.Constant(not value)
    elif isinstance(value, int):
        yield "number", ast.Constant(value + 1)
        yield "number", ast.Constant(value - 1)
    elif isinstance(value, str):
        if value.replace(".", "", 1).isdigit():
            for step in (0.1, -0.1):
                yield "number", ast.Constant(f"{float(value) + step:.1f}")
        yield TEXT, ast.Constant(f"{value}~" if value else "~")


def _drops(module: str, place: Place, node: ast.AST) -> list[Mutant]:
    """Drop a row: an element of a tuple, list, set or dictionary, or an argument by name."""
    name = {
        ast.Tuple: "elts",
        ast.List: "elts",
        ast.Set: "elts",
        ast.Dict: "keys",
        ast.Call: "keywords",
    }.get(type(node))
    if name is None or isinstance(getattr(node, "ctx", None), ast.Store):
        return []
    inner = place[-1][0]
    if inner == "slice" or (isinstance(node, ast.Dict) and None in node.keys):
        return []
    rows = getattr(node, name)
    shown = [*chain(node.values)] if isinstance(node, ast.Dict) else rows
    return [
        Mutant(module, row.lineno, "row dropped", ast.unparse(row), "", (*place, (name, at)), None)
        for at, row in enumerate(shown)
    ]
