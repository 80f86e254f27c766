package taskrun

import (
	"slices"
	"strings"
	"unicode"

	"mvdan.cc/sh/v3/syntax"
)

// callsPixi is the start of a refusal for which advise suggests one of our targets.
const callsPixi = "calls pixi"

// parse parses a step's script and records everything that the two shells handle differently.
func (s *step) parse(source string) {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(source), "")
	if err != nil {
		s.refuse("has a command that cannot be read: %v", err)
		return
	}
	s.script = file
	w := &walker{step: s, source: source}
	w.stmts(file.Stmts, false)
	if w.errexit && w.conditional {
		s.refuse("has both set -e and &&, || or !, after which the two shells continue differently")
	}
}

// walker traverses the syntax tree of a script.
type walker struct {
	*step
	source      string
	commands    int  // number of simple commands so far
	errexit     bool // whether the script contains set -e
	conditional bool // whether the script contains &&, || or !
}

// nameUnlike returns the name of a statement that pixi's shell does not support.
func nameUnlike(c syntax.Command) string {
	switch c := c.(type) {
	case *syntax.IfClause:
		return "if"
	case *syntax.WhileClause:
		return "while or until"
	case *syntax.ForClause:
		return "for or select"
	case *syntax.CaseClause:
		return "case"
	case *syntax.Block:
		return "{ … }"
	case *syntax.FuncDecl:
		return "a function"
	case *syntax.ArithmCmd:
		return "(( … ))"
	case *syntax.TestClause:
		return "[[ … ]]"
	case *syntax.LetClause:
		return "let"
	case *syntax.TimeClause:
		return "time"
	case *syntax.CoprocClause:
		return "coproc"
	case *syntax.DeclClause:
		return c.Variant.Value
	}
	return "a redirection without a command"
}

func (w *walker) stmts(list []*syntax.Stmt, piped bool) {
	for _, st := range list {
		w.stmt(st, piped)
	}
}

// stmt checks one statement. In a pipeline, pixi's shell runs every command in a subshell, but this shell runs the last one in the current shell.
func (w *walker) stmt(st *syntax.Stmt, piped bool) {
	if st.Background || st.Coprocess || st.Disown {
		w.refuse("has &, a command in the background")
	}
	if st.Negated {
		w.conditional = true
		if piped {
			w.refuse("has ! within a pipeline")
		}
		if call, ok := st.Cmd.(*syntax.CallExpr); ok && len(call.Args) > 0 && call.Args[0].Lit() == "exit" {
			w.refuse("has ! before exit")
		}
	}
	w.redirects(st)
	if call, ok := st.Cmd.(*syntax.CallExpr); ok && len(call.Args) == 0 && len(st.Redirs) > 0 {
		w.refuse("has %s", nameUnlike(nil))
	}
	switch c := st.Cmd.(type) {
	case *syntax.CallExpr:
		w.call(c, piped)
	case *syntax.Subshell:
		w.stmts(c.Stmts, false)
	case *syntax.BinaryCmd:
		pipe := c.Op == syntax.Pipe || c.Op == syntax.PipeAll
		w.conditional = w.conditional || !pipe
		w.stmt(c.X, piped || pipe)
		w.stmt(c.Y, piped || pipe)
	case *syntax.DeclClause:
		w.export(c, piped)
	default:
		w.refuse("has %s, which pixi's shell does not know", nameUnlike(c))
	}
}

// redirects allows a single redirection, after the command and a blank. It may be to or from a file, or between 1 and 2.
func (w *walker) redirects(st *syntax.Stmt) {
	if len(st.Redirs) > 1 {
		w.refuse("redirects one command twice, which pixi's shell does not support")
	}
	for _, r := range st.Redirs {
		op := r.Op.String()
		at := int(r.Pos().Offset())
		_, isSubshell := st.Cmd.(*syntax.Subshell)
		switch {
		case r.Op == syntax.Hdoc || r.Op == syntax.DashHdoc || r.Op == syntax.WordHdoc:
			w.refuse("has %s, a here-document", op)
			continue
		case st.Cmd != nil && r.Pos().Offset() < st.Cmd.End().Offset():
			w.refuse("has %s before the end of the command", op)
		case !isSubshell && at > 0 && !strings.ContainsRune(" \t\n", rune(w.source[at-1])):
			w.refuse("has no blank before %s", op)
		case r.N != nil && (r.N.Value != "1" && r.N.Value != "2" || r.Op == syntax.RdrIn):
			w.refuse("redirects the descriptor %s", r.N.Value)
		}
		switch r.Op {
		case syntax.RdrIn, syntax.RdrOut, syntax.AppOut, syntax.RdrAll, syntax.AppAll:
			w.word(r.Word, single)
		case syntax.DplOut:
			if to := r.Word.Lit(); to != "1" && to != "2" || r.Word.Pos().Offset() != r.OpPos.Offset()+2 {
				w.refuse("redirects with %s to a target other than 1 or 2", op)
			}
		default:
			w.refuse("redirects with %s", op)
		}
	}
}

// call checks a simple command, or an assignment without a command.
func (w *walker) call(c *syntax.CallExpr, piped bool) {
	w.commands++
	for _, a := range c.Assigns {
		w.assign(a, assignment)
	}
	if len(c.Args) == 0 {
		if len(c.Assigns) != 1 {
			w.refuse("sets several variables at once without a command")
		}
		if piped {
			w.refuse("sets a variable within a pipeline")
		}
		return
	}
	for _, a := range c.Args {
		w.word(a, argument)
	}
	name, ok := readStatic(c.Args[0])
	if !ok {
		if !hasSlash(c.Args[0]) {
			w.refuse("has a command whose name is not known before it runs")
		}
		return
	}
	w.command(name, c.Args[1:], piped)
}

// export checks `export NAME=value …`.
func (w *walker) export(c *syntax.DeclClause, piped bool) {
	w.commands++
	if c.Variant.Value != "export" {
		w.refuse("has %s, which pixi's shell does not know", c.Variant.Value)
		return
	}
	if piped {
		w.refuse("has export within a pipeline")
	}
	for _, a := range c.Args {
		if a.Naked || a.Name == nil {
			w.refuse(`has export without NAME="value"`)
			continue
		}
		w.assign(a, single)
		if text, ok := firstLit(a.Value); ok && strings.HasPrefix(text, "~") {
			w.refuse("exports a value that begins with ~")
		}
	}
}

// special lists variables that are generated or used by the interpreter.
var special = []string{
	"PWD", "OLDPWD", "IFS", "OPTIND", "UID", "EUID", "GID", "PPID", "RANDOM", "SRANDOM", "DIRSTACK", "LINENO",
}

func (w *walker) assign(a *syntax.Assign, p place) {
	switch {
	case a.Append || a.Array != nil || a.Index != nil || a.Name == nil:
		w.refuse("has an assignment other than NAME=value")
		return
	case slices.Contains(special, a.Name.Value):
		w.refuse("sets %s", a.Name.Value)
	}
	if a.Value == nil {
		return
	}
	w.word(a.Value, p)
	w.value(a.Name.Value, a.Value)
}

// value records the value that the script assigns to a variable. It is either known, or composed of other variables without blanks in between.
func (w *walker) value(name string, word *syntax.Word) {
	if text, ok := readStatic(word); ok {
		w.uses = append(w.uses, use{name: name, assigned: true, value: text})
		return
	}
	w.uses = append(w.uses, use{name: name, assigned: true, composed: true})
	for _, part := range flatten(word.Parts) {
		switch part := part.(type) {
		case *syntax.Lit:
			if strings.ContainsFunc(part.Value, unicode.IsSpace) {
				w.refuse("gives %s a value with both blanks and variables", name)
			}
		case *syntax.SglQuoted:
			if strings.ContainsFunc(part.Value, unicode.IsSpace) {
				w.refuse("gives %s a value with both blanks and variables", name)
			}
		case *syntax.ParamExp:
			w.uses = append(w.uses, use{name: part.Param.Value, place: argument})
		}
	}
}
