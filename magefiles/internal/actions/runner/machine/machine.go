// Package machine says what the jobs of a workflow get of this machine: what leads to the network, the caches of tools, and programs that GitHub's machine has
// too, and no more.
//
//	machine.go  variables, caches, Pythons, stand-ins for secrets
//	image.go    programs, by a list of what GitHub's machines have: programs.txt
package machine

import (
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/file"
	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/toolchain/embedded/pythons"
)

// passed are the variables of this process that a job gets: how the network is reached, what language programs speak, where tools are kept.
var passed = []string{
	"LANG", "LC_ALL", "TZ", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "GOPROXY",
	"GOSUMDB", "GONOSUMDB", "GOTOOLCHAIN", "GOPRIVATE", "PIP_INDEX_URL", "PIP_CERT", "PIP_FIND_LINKS", "PIP_CONFIG_FILE", "UV_DEFAULT_INDEX", "UV_OFFLINE", "UV_FIND_LINKS",
	"UV_PYTHON_INSTALL_DIR", "PIPELINE_TOOLCHAIN",
}

// imagePath is PATH as GitHub's images begin it.
const imagePath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// strange are settings by which git knows nothing of the person's, as on a runner: the credential helper of the system's configuration would let a push in
// that the job's own token does not, and ssh takes the keys of the person, whatever HOME is.
var strange = []string{
	"GIT_CONFIG_NOSYSTEM=1", "GIT_SSH_COMMAND=ssh -F /dev/null -o IdentityAgent=none -o IdentityFile=/dev/null -o BatchMode=yes",
}

// Caches is what is said of the caches that jobs share.
const Caches = "the caches of Go, pip, uv and of the pipeline's tools are those of this machine, and warmer than GitHub's"

// Environ is what all jobs begin with, of this process's environment.
func Environ(ours []string) []string {
	clean, _ := command.Withhold(ours)
	job := []string{"PATH=" + imagePath, "GOFLAGS=-modcacherw -trimpath"}
	for _, name := range passed {
		if v, set := command.Getenv(clean, name); set {
			job = append(job, name+"="+v)
		}
	}
	return slices.Concat(job, strange, caches(clean))
}

// kept are the variables that lead to what tools of this machine keep, and use again without another look.
var kept = []string{"XDG_CACHE_HOME", "GOCACHE", "GOMODCACHE", "UV_PYTHON_INSTALL_DIR"}

// EnvironOfFork is [Environ] without the caches: what a stranger's job leaves there, the next command of the person would run. Tools begin with
// empty ones in the HOME of the job, as on GitHub.
func EnvironOfFork(ours []string) []string { return command.Unset(Environ(ours), kept...) }

// caches are the variables by which tools find what they have downloaded and compiled before.
func caches(ours []string) (all []string) {
	home, _ := command.Getenv(ours, "HOME")
	either := func(name, below string, parts ...string) {
		dir, _ := command.Getenv(ours, name)
		if dir == "" && below != "" {
			dir = filepath.Join(append([]string{below}, parts...)...)
		}
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			all = append(all, name+"="+dir)
		}
	}
	either("XDG_CACHE_HOME", home, ".cache")
	either("GOCACHE", home, ".cache", "go-build")
	if path, _ := command.Getenv(ours, "GOPATH"); path != "" {
		home = ""
		either("GOMODCACHE", filepath.SplitList(path)[0], "pkg", "mod")
	}
	either("GOMODCACHE", home, "go", "pkg", "mod")
	return all
}

// Path is the person's PATH, on which there is what actions install.
func Path(ours []string) string {
	v, _ := command.Getenv(ours, "PATH")
	return v
}

// Python finds an interpreter of a version, such as 3.13 or 3.13.1: on PATH by its name, or where pyenv, uv and the runners of a CI keep theirs; "" where
// there is none, and for a range, or another kind of Python.
func Python(ours []string, version string) string {
	of := func(name, otherwise string) string {
		if v, _ := command.Getenv(ours, name); v != "" {
			return v
		}
		home, _ := command.Getenv(ours, "HOME")
		return filepath.Join(home, otherwise)
	}
	return pythons.Places{
		UV:    of("UV_PYTHON_INSTALL_DIR", ".local/share/uv/python"),
		Pyenv: filepath.Join(of("PYENV_ROOT", ".pyenv"), "versions"),
		Tools: []string{of("RUNNER_TOOL_CACHE", ".none")},
	}.Named(Path(ours), version)
}

// Variables are values for all variables of the repository that a workflow file names, or one of the files that it calls.
func Variables(files fs.FS, w *file.Workflow) map[string]string {
	variables, seen := map[string]string{}, map[string]bool{}
	var of func(w *file.Workflow)
	of = func(w *file.Workflow) {
		needs := w.Needs()
		for _, name := range needs.Variables {
			name = strings.ToUpper(name)
			variables[name] = StandInValue(name)
		}
		for _, called := range needs.Workflows {
			name, local := strings.CutPrefix(called, "./")
			if !local || seen[name] {
				continue
			}
			seen[name] = true
			if data, err := fs.ReadFile(files, path.Clean(name)); err == nil { // the run says what cannot be called
				if w, err := file.Read(name, data); err == nil {
					of(w)
				}
			}
		}
	}
	of(w)
	return variables
}

// Secrets are values for all secrets that the workflow files of a folder name. One that jobs of an environment alone name is that environment's, as far as
// the name of it stands in the file, and no other job gets it; all others are the repository's. A file that cannot be read asks for none: GitHub runs nothing
// by it.
func Secrets(files fs.FS) (repository map[string]string, environments map[string]map[string]string, err error) {
	repository, environments = map[string]string{}, map[string]map[string]string{}
	all, err := fs.Glob(files, ".github/workflows/*.y*ml")
	if err != nil {
		return nil, nil, err
	}
	for _, name := range all {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, nil, err
		}
		w, err := file.Read(name, data)
		if err != nil {
			continue
		}
		for _, s := range w.Secrets() {
			name := strings.ToUpper(s.Name)
			if s.Environment == "" {
				repository[name] = StandInValue(name)
				continue
			}
			if environments[s.Environment] == nil {
				environments[s.Environment] = map[string]string{}
			}
			environments[s.Environment][name] = StandInValue(name) + "-of-" + s.Environment
		}
	}
	for _, of := range environments {
		maps.DeleteFunc(of, func(name, _ string) bool { return repository[name] != "" })
	}
	return repository, environments, nil
}

// StandInValue is what stands for a secret.
func StandInValue(name string) string { return "stand-in-for-" + strings.ToLower(name) }
