// Package machine says what the jobs of a workflow get of this machine: what leads to the network, and the caches of tools, and no more.
package machine

import (
	"os"
	"path/filepath"

	"github.com/foopack/foopack/magefiles/internal/command"
)

// passed are the variables of this process that a job gets: how the network is reached, what language programs speak, where tools are kept.
var passed = []string{
	"LANG", "LC_ALL", "TZ", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "GOPROXY",
	"GOSUMDB", "GONOSUMDB", "GOTOOLCHAIN", "GOPRIVATE", "PIP_INDEX_URL", "PIP_CERT", "PIP_FIND_LINKS", "PIP_CONFIG_FILE", "UV_DEFAULT_INDEX", "UV_OFFLINE", "UV_FIND_LINKS",
	"UV_PYTHON_INSTALL_DIR", "PIPELINE_TOOLCHAIN",
}

// imagePath is PATH as GitHub's images begin it.
const imagePath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

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
	return append(job, caches(clean)...)
}

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
