package expression

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// contexts returns a step's contexts for the tests.
func contexts() *Object {
	env := &Object{Exact: true}
	env.Add("Path", "/bin")
	return NewObject(
		"github", NewObject("ref", "refs/tags/v1.2.0", "event", NewObject("inputs", nil), "run_number", 7.0),
		"needs", NewObject("build", NewObject("result", "success"), "Test", NewObject("result", "failure")),
		"matrix", NewObject("os", &Array{Items: []Value{"linux", "mac"}}, "n", 3.0),
		"env", env,
	)
}

func names(t testing.TB) Names {
	t.Helper()
	n, err := Allow("github", "needs", "matrix", "env", "always(0,0)", "success(0,MAX)", "failure(0,MAX)", "cancelled(0,0)", "hashFiles(1,255)")
	require.NoError(t, err)
	return n
}

func world() Env {
	is := func(v bool) func([]Value) (Value, error) { return func([]Value) (Value, error) { return v, nil } }
	return Env{
		Contexts: contexts(),
		Functions: map[string]func([]Value) (Value, error){
			"always":    is(true),
			"success":   is(false),
			"failure":   is(true),
			"cancelled": is(false),
			"hashfiles": func(a []Value) (Value, error) { return "hash of " + Text(a[0]), nil },
		},
	}
}

// The cases are the values in GitHub's documentation of expressions, and values that follow from its rules.
func TestValues(t *testing.T) {
	for text, want := range map[string]Value{
		"":                                     nil,
		"  \n":                                 nil,
		"'it''s ''two'''":                      "it's 'two'",
		"-9.2":                                 -9.2,
		"0xff":                                 255.0,
		"-2.99e-2":                             -0.0299,
		"+.5":                                  0.5,
		"null == 0":                            true,
		"'' == false":                          true,
		"' 0x10 ' == 16":                       true,
		"' a' == 'a'":                          false, // strings are not trimmed
		"'É' == 'é'":                           true,
		"NaN == NaN":                           false,
		"NaN != NaN":                           true,
		"'b' > 'A'":                            true,
		"true > false":                         true,
		"'x' < 1":                              false,
		"'x' >= 1":                             false,
		"github == github":                     true,
		"needs == github":                      false,
		"matrix.os == fromJSON('[]')":          false,
		"1 == 1 == true":                       true,
		"true || false && false":               true,
		"!true == false":                       true,
		"'' || 'else'":                         "else",
		"0 && 'never'":                         0.0,
		"GITHUB.Ref":                           "refs/tags/v1.2.0",
		"github['ref']":                        "refs/tags/v1.2.0",
		"env.Path":                             "/bin",
		"env.PATH":                             nil,
		"github.nothing.at.all":                nil,
		"github.true":                          nil,
		"matrix.os[1.9]":                       "mac",
		"matrix.os[-1]":                        nil,
		"matrix.os[2]":                         nil,
		"matrix.os['0']":                       "linux",
		"join(needs.*.result)":                 "success,failure",
		"join(needs[*]['result'],'-')":         "success-failure",
		"join(matrix.n.*)":                     "",
		"join(needs)":                          "",
		"join(needs.*.result, needs)":          "success,failure",
		"contains(needs.*.result, 'FAILURE')":  true,
		"contains('Hello', 'LL')":              true,
		"contains(matrix.os, 'lin')":           false,
		"contains(needs, 'build')":             false,
		"contains(123, 2)":                     true,
		"startsWith(github.ref, 'REFS/tags/')": true,
		"endsWith(true, 'UE')":                 true,
		"startsWith(matrix.os, '')":            false,
		"format('{{{0}}} {1}{1}', 'a', 2)":     "{a} 22",
		"format('{0} {1} {2}', null, matrix.os, github)":  " Array Object",
		"format('{0}', 1e15)":                             "1E+15",
		"format('{0}', 123456789012345.6)":                "123456789012346",
		"format('{0}', 0.1)":                              "0.1",
		"format('{0}', -0)":                               "0",
		"format('{0}', 0.00001)":                          "1E-05",
		"toJSON(needs.build)":                             "{\n  \"result\": \"success\"\n}",
		"toJSON('<é>\u2028')":                             "\"<é>\\u2028\"",
		"toJSON(matrix.os)":                               "[\n  \"linux\",\n  \"mac\"\n]",
		"toJSON(fromJSON('{\"b\":[],\"a\":{},\"B\":2}'))": "{\n  \"b\": [],\n  \"a\": {}\n}", // the first of two equal keys wins
		"fromJSON('[1,{\"X\":true}]')[1].x":               true,
		"fromJSON('1e400')":                               math.Inf(1),
		"case(false, 'a', matrix.n == 3, 'b', 'c')":       "b",
		"case(false, 'a', false, 'b', 'c')":               "c",
		"case(true, 1, fromJSON('no json'), 2, 3)":        1.0, // values after the first match are not evaluated
		"hashFiles('**/go.sum')":                          "hash of **/go.sum",
		"failure() && !cancelled()":                       true,
	} {
		e, err := Parse(text, names(t))
		require.NoError(t, err, text)
		v, err := e.Eval(world())
		require.NoError(t, err, text)
		require.Equal(t, want, v, text)
	}
}

// The parser rejects an expression that is wrong whatever the values of its contexts, and reports the position.
func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		"github.":                              `unexpected end of the expression (character 8)`,
		"(github":                              `unexpected end of the expression (character 8)`,
		"github)":                              `unexpected ")" (character 7)`,
		"a b":                                  `the context "a" does not exist or is not available here (character 1)`,
		"github github":                        `unexpected "github" (character 8)`,
		"secrets.TOKEN":                        `the context "secrets" does not exist or is not available here (character 1)`,
		"True":                                 `the context "True" does not exist or is not available here (character 1)`,
		"github.ref = 'a'":                     `unexpected "=" (character 12)`,
		"github & github":                      `unexpected "&" (character 8)`,
		`github.ref == "main"`:                 `unexpected "\"main\"" (character 15)`,
		"github.1":                             `unexpected "1" (character 8)`,
		"'text'[0]":                            `unexpected "[" (character 7)`,
		"1.2.3":                                `unexpected "1.2.3" (character 1)`,
		"0x1p4":                                `unexpected "0x1p4" (character 1)`,
		"1_000":                                `unexpected "1_000" (character 1)`,
		"-Inf":                                 `unexpected "-Inf" (character 1)`,
		"'open":                                `this text has no closing single quote (character 1)`,
		"contains('a')":                        `contains takes at least 2 arguments (character 1)`,
		"!toJSON()":                            `toJSON takes at least 1 arguments (character 2)`,
		"join(1, 2, 3)":                        `join takes at most 2 arguments (character 1)`,
		"format('a',)":                         `unexpected ")" (character 12)`,
		"case(true, 1, false, 2)":              `case takes pairs of a condition and a value, and then a default value (character 1)`,
		"env.X || upper('a')":                  `the function "upper" does not exist or is not available here (character 10)`,
		"always(1)":                            `always takes at most 0 arguments (character 1)`,
		"hashFiles()":                          `hashFiles takes at least 1 arguments (character 1)`,
		strings.Repeat("(", 51):                `the expression is nested deeper than 50 levels (character 51)`,
		"1" + strings.Repeat("<1", 50):         `the expression is nested deeper than 50 levels (character 100)`,
		"github" + strings.Repeat(".a", 50):    `the expression is nested deeper than 50 levels (character 105)`,
		"github" + strings.Repeat("['a']", 50): `the expression is nested deeper than 50 levels (character 253)`,
		strings.Repeat(" ", 21_001):            `the expression is longer than 21,000 characters (character 1)`,
	} {
		_, err := Parse(text, names(t))
		require.EqualError(t, err, want, text)
	}
	_, err := Allow("hashFiles(many,255)")
	require.ErrorContains(t, err, "hashFiles")
}

// The size limit is checked before a function allocates its result, because some results would take gigabytes.
func TestSizeLimitsBeforeAllocation(t *testing.T) {
	long := strings.Repeat("x", maxMemory/4)
	_, err := join([]Value{&Array{Items: []Value{1.0, 2.0, 3.0, 4.0, 5.0}}, long})
	require.ErrorIs(t, err, errTooMuch)
	_, err = format([]Value{strings.Repeat("{0}", 5), long})
	require.ErrorIs(t, err, errTooMuch)
	_, err = toJSON([]Value{&Array{Items: []Value{long, long, long, long, 5.0}}})
	require.ErrorIs(t, err, errTooMuch)
}

// An expression that is wrong only for certain values fails when it is evaluated.
func TestFails(t *testing.T) {
	for text, want := range map[string]string{
		"fromJSON('')":             "unexpected end of the text",
		"fromJSON('{\"a\":1} 2')":  "unexpected text after the value",
		"fromJSON('[1,]')":         "not JSON",
		"format('{0} {1}', 1)":     "refers to an argument that was not passed",
		"format('}')":              "is invalid at character 1",
		"format('a {x}', 1)":       "is invalid at character 3",
		"format('{0', 1)":          "is invalid at character 1",
		"case('yes', 1, 2)":        "must be true or false",
		"1 == (2 == fromJSON(''))": "unexpected end of the text",
		"!fromJSON('') || 1":       "unexpected end of the text",
		// each level is ten times as long as the one below
		strings.Repeat("format('{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}',", 9) + "'a'" + strings.Repeat(")", 9): "is longer than",
	} {
		e, err := Parse(text, names(t))
		require.NoError(t, err, text)
		_, err = e.Eval(world())
		require.ErrorContains(t, err, want, text)
	}
	e, err := Parse("success()", names(t))
	require.NoError(t, err)
	_, err = e.Eval(Env{})
	require.EqualError(t, err, "the result of success() is not known here")
}

func TestTemplates(t *testing.T) {
	for text, want := range map[string]Value{
		"plain } {{ text":                         "plain } {{ text",
		"${{ matrix.n }}":                         3.0,
		"${{ matrix.n }} ":                        "3 ",
		"v${{ matrix.n }}-${{ '}}' }}${{ null }}": "v3-}}",
	} {
		tpl, err := ParseTemplate(text, names(t))
		require.NoError(t, err, text)
		v, err := tpl.Eval(world())
		require.NoError(t, err, text)
		require.Equal(t, want, v, text)
	}
	for text, want := range map[string]string{
		"a ${{ b":                  "has no }} (character 3)",
		"a ${{ }}":                 "there is no expression between ${{ and }} (character 6)",
		"a ${{ 1 }} ${{ secret }}": `the context "secret" does not exist or is not available here (character 16)`,
		"${{ '}}":                  "has no }}",
	} {
		_, err := ParseTemplate(text, names(t))
		require.ErrorContains(t, err, want, text)
	}
}

func TestConditions(t *testing.T) {
	for text, want := range map[string]bool{
		"":                               false, // no condition means success(), and a job has failed here
		"true":                           false,
		"failure()":                      true,
		"${{ always() }}":                true,
		" ${{ FAILURE() && true }} ":     true,
		"!cancelled() && matrix.n == 3":  true,
		"contains(github.ref, 'always')": false,
		"'always()'":                     false, // a string is not a call
	} {
		e, err := ParseCondition(text, names(t))
		require.NoError(t, err, text)
		v, err := e.Eval(world())
		require.NoError(t, err, text)
		require.Equal(t, want, Truthy(v), text)
	}
	for text, want := range map[string]string{
		"${{ false }} && true": "is always true",
		"x ${{ false }}":       "is always true",
		"${{ nothing }}":       `the context "nothing" does not exist or is not available here (character 5)`,
		"  ${{ failure(":       "is always true",
	} {
		_, err := ParseCondition(text, names(t))
		require.ErrorContains(t, err, want, text)
	}
}

// No input causes a panic. Everything that parses can be evaluated, and the position of an error is within the text.
func FuzzExpression(f *testing.F) {
	for _, s := range []string{"${{ a.b[*].c['d'] }}", "${{ format('{0}', -0x1) }} x", "!(1<=.5||github.*.x==null)", "case(true,1,2)", "fromJSON('[1e5,{\"a\":null}]')"} {
		f.Add(s)
	}
	allowed := names(f)
	f.Fuzz(func(t *testing.T, text string) {
		wrong := &Error{}
		if tpl, err := ParseTemplate(text, allowed); err != nil {
			require.ErrorAs(t, err, &wrong)
		} else {
			_, _ = tpl.Eval(world())
		}
		e, err := ParseCondition(text, allowed)
		if err != nil {
			require.ErrorAs(t, err, &wrong)
			require.GreaterOrEqual(t, wrong.At, 0)
			require.LessOrEqual(t, wrong.At, len(text))
			return
		}
		_, _ = e.Eval(world())
	})
}
