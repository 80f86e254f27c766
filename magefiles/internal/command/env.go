package command

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Unset returns env without the named variables.
func Unset(env []string, names ...string) []string {
	return slices.DeleteFunc(slices.Clone(env), func(kv string) bool {
		k, _, _ := strings.Cut(kv, "=")
		return slices.Contains(names, k)
	})
}

// Setenv returns env with the KEY=VALUE pairs set, each instead of earlier values of the same name.
func Setenv(env []string, pairs ...string) []string {
	var names []string
	for _, kv := range pairs {
		k, _, _ := strings.Cut(kv, "=")
		names = append(names, k)
	}
	return append(Unset(env, names...), pairs...)
}

// Getenv returns the last value of name in env, and whether it is set.
func Getenv(env []string, name string) (value string, ok bool) {
	for _, kv := range env {
		if k, v, _ := strings.Cut(kv, "="); k == name {
			value, ok = v, true
		}
	}
	return value, ok
}

// LookPath finds a program on the PATH of env.
func LookPath(name string, env []string) (string, error) { return lookPath(name, "", env) }

// lookPath is like exec.LookPath, but uses the child's PATH and working directory.
func lookPath(name, dir string, env []string) (string, error) {
	if strings.ContainsRune(name, '/') {
		if !filepath.IsAbs(name) && dir != "" {
			abs, err := filepath.Abs(filepath.Join(dir, name))
			if err != nil {
				return "", err
			}
			name = abs
		}
		return exec.LookPath(name)
	}
	path, _ := Getenv(env, "PATH")
	for _, folder := range filepath.SplitList(path) {
		if folder == "" || !filepath.IsAbs(folder) {
			continue // a relative PATH entry would find another program in each working directory
		}
		if found, err := exec.LookPath(filepath.Join(folder, name)); err == nil {
			return found, nil
		}
	}
	return "", exec.ErrNotFound
}
