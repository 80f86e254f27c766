package workspace

import (
	"strings"
	"testing"

	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/stretchr/testify/require"
)

func TestOrder(t *testing.T) {
	w := load(t, "-- pixi.toml --\n[workspace]\nname = \"w\"\n"+
		"-- a/pixi.toml --\n"+pkg("a", "[package.run-dependencies]\nz = \"==0.1.0\"\n")+
		"-- z/pixi.toml --\n"+pkg("z", "[package.host-dependencies]\nm = { path = \"../m\" }\n")+
		"-- m/pixi.toml --\n"+pkg("m", "[package.run-constraints]\na = \"==0.1.0\"\n[package.extra-dependencies.x]\na = \"*\"\n")+
		"-- b/pixi.toml --\n"+pkg("b", "[package.build-dependencies]\nm = \"*\"\n[package.run-dependencies]\nb = \"==0.1.0\"\n")+
		"-- lone/pixi.toml --\n"+pkg("lone", ""))
	require.Equal(t, []string{"lone", "m", "b", "z", "a"}, packageNames(w.Order()))
	var levels []string
	for _, l := range w.Levels() {
		levels = append(levels, strings.Join(packageNames(l), " "))
	}
	require.Equal(t, []string{"lone m", "b z", "a"}, levels)
	require.Equal(t, []string{"b", "z", "a"}, packageNames(w.Dependents("m")))
	require.Equal(t, []string{"a"}, packageNames(w.Dependents("Z")))
	require.Empty(t, w.Dependents("lone"))
}

// Requirements that are only in pyproject.toml files affect the order, unless they form a cycle.
func TestOrderByPyproject(t *testing.T) {
	member := func(name, deps string) string {
		return "-- " + name + "/pyproject.toml --\n[project]\nname = \"" + name + "\"\nversion = \"1\"\ndependencies = [" + deps + "]\n" +
			"[tool.pixi.package.build.backend]\nname = \"pixi-build-python\"\n"
	}
	w := load(t, "-- pixi.toml --\n[workspace]\nname = \"w\"\n"+member("a", `"b"`)+member("b", ""))
	require.Equal(t, []string{"b", "a"}, packageNames(w.Order()))
	w = load(t, "-- pixi.toml --\n[workspace]\nname = \"w\"\n"+member("a", `"b"`)+member("b", `"a"`))
	require.Equal(t, []string{"a", "b"}, packageNames(w.Order()))
}

func TestCycle(t *testing.T) {
	_, err := Load(repo(t, "-- pixi.toml --\n[workspace]\n"+
		"-- p/a/pixi.toml --\n"+pkg("a", "[package.run-dependencies]\nb = \"==0.1.0\"\n")+
		"-- p/b/pixi.toml --\n"+pkg("b", "[package.host-dependencies]\nx = \"*\"\na = { path = \"../a\" }\n")))
	require.EqualError(t, err, "the packages require each other in a circle: a → b → a (p/a/pixi.toml:7:1, p/b/pixi.toml:8:1)")
	require.Equal(t, operr.Failed, operr.ExitStatus(err))
}

func TestUnknownPackage(t *testing.T) {
	w := load(t, "-- pixi.toml --\n[workspace]\n-- a/pixi.toml --\n"+pkg("acme-core", "")+"-- b/pixi.toml --\n"+pkg("acme-ui", ""))
	for given, hint := range map[string]string{"acme-coer": "did you mean acme-core? ", "ui": "did you mean acme-ui? ", "numpy": ""} {
		_, err := w.Package(given)
		require.EqualError(t, err, `no package named "`+given+`"; there are acme-core and acme-ui`)
		require.Equal(t, operr.Usage, operr.ExitStatus(err))
		var e *operr.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, hint+"name one of these packages", e.Next)
	}
}
