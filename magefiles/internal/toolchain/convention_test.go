package toolchain_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/toolchain"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

func TestTasksAreFoundByName(t *testing.T) {
	for _, c := range []struct {
		name, tasks string
		want        []string
		err         string
	}{
		{"one for all", "test-all = \"a\"\ntest = \"b\"\ntest-one = \"c\"", []string{"test-all"}, ""},
		{"the short name", "test = \"b\"", []string{"test"}, ""},
		{"one for each", "test-one = \"a\"\ntest-acme-two = \"b\"", []string{"test-one", "test-acme-two"}, ""},
		{"underscores", "test_one = \"a\"\ntest_acme_two = \"b\"", []string{"test_one", "test_acme_two"}, ""},
		{"one is missing", "test-one = \"a\"", nil, "no task tests all packages, and pixi.toml has no task test-2 to test the package acme-two"},
		{"another name", "tests = \"a\"", nil, "if the task tests does this, add `test = { depends-on = [\"tests\"] }`"},
		{"a task of another package is not suggested", "qa = \"a\"\ntest-one = \"b\"", nil, "no task test-2 to test the package acme-two\n→ add to pixi.toml a task test-all that tests all packages"},
		{"all that are missing", "lint = \"a\"", nil, "no task tests all packages, and pixi.toml lacks these tasks: test-one, test-2 (to test the packages acme-one, acme-two)"},
		{"other names", "pytest = \"a\"\ntest-2s = \"b\"\nlint = \"c\"\ntest-one = \"d\"", nil, "pytest"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			for name, text := range map[string]string{
				"pixi.toml":         "[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n[feature.dev.tasks]\n" + c.tasks + "\n[environments]\ndev = [\"dev\"]\n",
				"lib/one/pixi.toml": "[package]\nname = \"acme-one\"\nversion = \"1\"\n[package.build]\nbackend = { name = \"pixi-build-rust\", version = \"*\" }\n",
				"lib/2/pixi.toml":   "[package]\nname = \"acme-two\"\nversion = \"1\"\n[package.build]\nbackend = { name = \"pixi-build-rust\", version = \"*\" }\n",
			} {
				require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
				require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
			}
			w, err := workspace.Load(root)
			require.NoError(t, err)
			_, err = toolchain.PackageTask(w, "qa", w.Packages[0])
			require.NotContains(t, fmt.Sprintf("%+v", err), "`qa = ", "a task is not suggested for itself")
			tasks, err := toolchain.TestTasks(w)
			if c.err != "" {
				require.Contains(t, fmt.Sprintf("%+v", err), c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, tasks)
		})
	}
}

// A package in the root folder is identified by its own name, because the folder has none.
func TestTasksOfTheRootPackage(t *testing.T) {
	for tasks, want := range map[string]string{
		"test = \"a\"":                    "test",
		"test-acme = \"a\"":               "test-acme",
		"test_acme = \"a\"":               "test_acme",
		"tests-acme = \"a\"":              "pixi.toml has no task test-acme to test the package acme",
		"check = \"a\"":                   "pixi.toml has no task test-acme to test the package acme",
		"\"test-.\" = \"a\"":              "pixi.toml has no task test-acme to test the package acme",
		"test = \"a\"\ntest-acme = \"b\"": "test-acme",
	} {
		root := t.TempDir()
		text := "[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n[tasks]\n" + tasks + "\n[package]\nname = \"acme\"\nversion = \"1\"\nbuild.backend = { name = \"pixi-build-rust\", version = \"*\" }\n"
		require.NoError(t, os.WriteFile(filepath.Join(root, "pixi.toml"), []byte(text), 0o644))
		w, err := workspace.Load(root)
		require.NoError(t, err)
		task, err := toolchain.PackageTask(w, "test", w.Packages[0])
		if err != nil {
			task = err.Error()
		}
		require.Equal(t, want, task, tasks)
	}
}

// A task of another package is not suggested for this one, and PackageTask accepts all suggested names.
func TestSuggestedTasksOfAPackage(t *testing.T) {
	for tasks, want := range map[string]string{
		"qa-io = \"a\"":                    "add this task to [tasks], or to the tasks of a feature",
		"qa-acme-io = \"a\"":               "add this task to [tasks], or to the tasks of a feature",
		"qas = \"a\"":                      "if the task qas does this, add `qa-ui = { depends-on = [\"qas\"] }`",
		"qa-io = \"a\"\nrun-qa-ui = \"b\"": "if the task run-qa-ui does this, add `qa-ui = { depends-on = [\"run-qa-ui\"] }`",
	} {
		root := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(root, "pixi.toml"), []byte("[workspace]\nname = \"w\"\nchannels = []\nplatforms = []\n[tasks]\n"+tasks+"\n"), 0o644))
		for _, name := range []string{"io", "ui"} {
			require.NoError(t, os.MkdirAll(filepath.Join(root, name), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(root, name, "pixi.toml"), []byte("[package]\nname = \"acme-"+name+"\"\nversion = \"1\"\nbuild.backend = { name = \"pixi-build-rust\", version = \"*\" }\n"), 0o644))
		}
		w, err := workspace.Load(root)
		require.NoError(t, err)
		p, err := w.Package("acme-ui")
		require.NoError(t, err)
		_, err = toolchain.PackageTask(w, "qa", p)
		require.True(t, strings.HasSuffix(strings.TrimSpace(fmt.Sprintf("%+v", err)), want), "%s: %+v", tasks, err)
	}
}
