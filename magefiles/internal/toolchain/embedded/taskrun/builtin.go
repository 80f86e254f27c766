package taskrun

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/interp"
)

// builtins lists built-in commands of pixi's shell that differ from the programs with the same names. Its other built-in commands (cat, cp, head,
// mkdir, mv, rm, sleep, xargs) are run from PATH, but only with options that pixi's shell supports (see options).
var builtins = map[string]func(interp.HandlerContext, []string) int{
	"echo": echo,
	"pwd":  pwd,
	"test": test,
}

// echo supports no options and no escapes.
func echo(hc interp.HandlerContext, args []string) int {
	fmt.Fprintln(hc.Stdout, strings.Join(args, " "))
	return 0
}

func pwd(hc interp.HandlerContext, _ []string) int {
	fmt.Fprintln(hc.Stdout, hc.Dir)
	return 0
}

// test evaluates one comparison, optionally negated by a leading "!" (deno_task_shell, commands/test.rs).
func test(hc interp.HandlerContext, args []string) int {
	negated := len(args) > 1 && args[0] == "!"
	if negated {
		args = args[1:]
	}
	result, err := evaluate(hc.Dir, args)
	switch {
	case err != nil:
		fmt.Fprintf(hc.Stderr, "test: %v\n", err)
		return 2
	case result != negated:
		return 0
	}
	return 1
}

func evaluate(dir string, args []string) (bool, error) {
	switch len(args) {
	case 0:
		return false, nil
	case 1:
		return args[0] != "", nil
	case 2:
		return unary(dir, args[0], args[1])
	case 3:
		return binary(args[0], args[1], args[2])
	}
	return false, fmt.Errorf("too many arguments")
}

func unary(dir, op, arg string) (bool, error) {
	switch op {
	case "-n":
		return arg != "", nil
	case "-z":
		return arg == "", nil
	case "-e", "-f", "-d", "-s":
	default:
		return false, fmt.Errorf("unary operator expected: %s", op)
	}
	if !filepath.IsAbs(arg) {
		arg = filepath.Join(dir, arg)
	}
	info, err := os.Stat(arg)
	is := err == nil && (op == "-e" || op == "-f" && info.Mode().IsRegular() || op == "-d" && info.IsDir() || op == "-s" && info.Size() > 0)
	return is, nil
}

func binary(a, op, b string) (bool, error) {
	switch op {
	case "=":
		return a == b, nil
	case "!=":
		return a != b, nil
	}
	compare := map[string]func(x, y int64) bool{
		"-eq": func(x, y int64) bool { return x == y }, "-ne": func(x, y int64) bool { return x != y },
		"-lt": func(x, y int64) bool { return x < y }, "-le": func(x, y int64) bool { return x <= y },
		"-gt": func(x, y int64) bool { return x > y }, "-ge": func(x, y int64) bool { return x >= y },
	}[op]
	if compare == nil {
		return false, fmt.Errorf("binary operator expected: %s", op)
	}
	x, err := strconv.ParseInt(a, 10, 64)
	if err != nil {
		return false, fmt.Errorf("integer expression expected: %s", a)
	}
	y, err := strconv.ParseInt(b, 10, 64)
	if err != nil {
		return false, fmt.Errorf("integer expression expected: %s", b)
	}
	return compare(x, y), nil
}
