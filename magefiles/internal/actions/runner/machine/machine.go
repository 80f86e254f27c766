// Package machine decides which parts of this machine a workflow's jobs can use: network settings, tool caches, and the programs that GitHub's
// machines have too. Jobs can use nothing else.
//
//	machine.go  variables, caches, Pythons, stand-ins for secrets
//	image.go    programs, filtered by programs.txt, the list of programs on GitHub's machines
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

// passed lists the variables of this process that a job inherits: network settings, locale, and tool folders.
var passed = []string{
	"LANG", "LC_ALL", "TZ", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "GOPROXY",
	"GOSUMDB", "GONOSUMDB", "GOTOOLCHAIN", "GOPRIVATE", "PIP_INDEX_URL", "PIP_CERT", "PIP_FIND_LINKS", "PIP_CONFIG_FILE", "UV_DEFAULT_INDEX", "UV_OFFLINE", "UV_FIND_LINKS",
	"UV_PYTHON_INSTALL_DIR", "PIPELINE_TOOLCHAIN",
}

// imagePath is the initial PATH of GitHub's images.
const imagePath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// strange holds settings that hide the user's configuration from git, as on a runner. Otherwise a system-wide credential helper would allow pushes
// that the job's token does not allow, and ssh would use the user's keys, whatever HOME is.
var strange = []string{
	"GIT_CONFIG_NOSYSTEM=1", "GIT_SSH_COMMAND=ssh -F /dev/null -o IdentityAgent=none -o IdentityFile=/dev/null -o BatchMode=yes",
}

// Caches is the note that jobs share caches.
const Caches = "Go, pip, uv and the pipeline's tools use the caches of this machine, which may contain more than GitHub's caches"

// Environ returns the initial environment of all jobs, derived from this process's environment.
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

// `kept` lists the variables for cache folders whose files tools reuse without a check.
var kept = []string{"XDG_CACHE_HOME", "GOCACHE", "GOMODCACHE", "UV_PYTHON_INSTALL_DIR"}

// EnvironOfFork is [Environ] without the caches. Otherwise the user's next command could run files that an untrusted job left there. Tools start
// with empty caches in the job's HOME, as on GitHub.
func EnvironOfFork(ours []string) []string { return command.Unset(Environ(ours), kept...) }

// caches returns the variables that locate the download and build caches of tools.
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

// Path returns the user's PATH, which has the programs that actions install.
func Path(ours []string) string {
	v, _ := command.Getenv(ours, "PATH")
	return v
}

// Python finds an interpreter of a version, such as 3.13 or 3.13.1, on PATH or in the folders of pyenv, uv and CI runners. It returns "" if there is
// none, and for version ranges and other implementations of Python.
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

// Variables returns values for all repository variables that a workflow file, or a file that it calls, uses.
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
			if data, err := fs.ReadFile(files, path.Clean(name)); err == nil { // the run reports workflows that cannot be called
				if w, err := file.Read(name, data); err == nil {
					of(w)
				}
			}
		}
	}
	of(w)
	return variables
}

// Secrets returns values for all secrets that the workflow files in a folder use. A secret that only jobs of one environment use belongs to that
// environment, if the file names the environment without an expression, and no other job gets it. All others belong to the repository. Unreadable
// files are skipped: GitHub does not run them.
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

// StandInValue returns the value that replaces a secret.
func StandInValue(name string) string { return "stand-in-for-" + strings.ToLower(name) }
