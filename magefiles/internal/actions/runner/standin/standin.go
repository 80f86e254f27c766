// Package standin implements stand-ins for actions that need nothing from outside. Each does the part of the action's work that matters to a
// rehearsal, and notes what it leaves out.
//
//	standin.go      the list of stand-ins
//	checkout.go     checks out the repository
//	remote.go       a repository that rejects every push
//	artifacts.go    files that jobs pass to each other
//	app.go          tokens of GitHub Apps
//	setup.go        tools, caches, logins and attestations
//	python.go       a Python for each job
package standin

import (
	"maps"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/actions/runner"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// With returns all stand-ins, plus those in a manifest, which maps an action to the path of a composite action in the repository, or to
// [settings.Nothing], which only records that the step was reached.
func With(named map[string]string) map[string]runner.StandIn {
	all := maps.Clone(All)
	for name, of := range named {
		if of == settings.Nothing {
			all[strings.ToLower(name)] = runner.StandIn{Run: recordOnly}
			continue
		}
		all[strings.ToLower(name)] = runner.StandIn{Local: strings.TrimPrefix(of, "./")}
	}
	return all
}

// All maps actions to stand-ins.
var All = map[string]runner.StandIn{
	"actions/checkout": {
		Run:  checkout,
		Post: forgetCredentials,
		Inputs: []string{
			"repository", "ref", "token", "ssh-key", "ssh-known-hosts", "ssh-strict", "ssh-user", "persist-credentials", "path", "clean", "filter",
			"sparse-checkout", "sparse-checkout-cone-mode", "fetch-depth", "fetch-tags", "show-progress", "lfs", "submodules", "set-safe-directory",
			"github-server-url", "allow-unsafe-pr-checkout",
		},
	},
	"actions/upload-artifact": {
		Run: uploadArtifact,
		Inputs: []string{
			"name", "path", "if-no-files-found", "retention-days", "compression-level", "overwrite", "include-hidden-files", "archive",
		},
		Bools: []string{"overwrite", "include-hidden-files"},
	},
	"actions/download-artifact": {
		Run: downloadArtifact,
		Inputs: []string{
			"name", "artifact-ids", "path", "pattern", "merge-multiple", "github-token", "repository", "run-id", "skip-decompress", "digest-mismatch",
		},
		Bools: []string{"merge-multiple"},
	},
	"actions/create-github-app-token": {Run: appToken}, // the action's inputs are named after permissions
	"actions/cache":                   {Run: cache, Post: saveCache, Inputs: cacheInputs},
	"actions/cache/restore":           {Run: cache, Inputs: cacheInputs},
	"actions/cache/save":              {Run: recordOnly, Inputs: cacheInputs},
	"actions/setup-go": {
		Run:    setupGo,
		Inputs: []string{"go-version", "go-version-file", "check-latest", "token", "cache", "cache-dependency-path", "architecture", "go-download-base-url"},
		Bools:  []string{"cache", "check-latest"},
	},
	"actions/setup-python": {
		Run: setupPython,
		Inputs: []string{
			"python-version", "python-version-file", "cache", "architecture", "check-latest", "token", "cache-dependency-path", "update-environment",
			"allow-prereleases", "freethreaded", "pip-version", "pip-install",
		},
		Bools: []string{"check-latest", "update-environment", "allow-prereleases", "freethreaded"},
	},
	"astral-sh/setup-uv": {
		Run: setupUV,
		Inputs: []string{
			"version", "version-file", "python-version", "activate-environment", "venv-path", "working-directory", "checksum", "github-token", "enable-cache",
			"restore-cache", "save-cache", "cache-dependency-glob", "cache-local-path", "cache-suffix", "prune-cache", "cache-python", "ignore-nothing-to-cache",
			"ignore-empty-workdir", "tool-dir", "tool-bin-dir", "manifest-file", "add-problem-matchers", "resolution-strategy", "no-project",
		},
	},
	"prefix-dev/setup-pixi": {
		Run: setupPixi,
		Inputs: []string{
			"pixi-version", "pixi-url", "pixi-url-headers", "pixi-url-bearer-token", "log-level", "manifest-path", "run-install", "environments", "activate-environment",
			"frozen", "locked", "cache", "cache-key", "cache-write", "pixi-bin-path", "auth-host", "auth-token", "auth-username", "auth-password",
			"auth-conda-token", "auth-s3-access-key-id", "auth-s3-secret-access-key", "auth-s3-session-token", "post-cleanup", "working-directory",
			"global-environments", "global-cache", "use-bundle", "download-directory", "no-global", "pypi-keyring-provider",
		},
	},
	"docker/login-action": {
		Run:    login,
		Post:   logout,
		Inputs: []string{"registry", "username", "password", "scope", "ecr", "logout", "registry-auth"},
		Bools:  []string{"logout"},
	},
	"docker/setup-buildx-action": {
		Run: buildx,
		Inputs: []string{
			"version", "driver", "driver-opts", "buildkitd-flags", "buildkitd-config", "buildkitd-config-inline", "use", "endpoint", "platforms", "append",
			"cache-binary", "cleanup", "keep-state", "name", "install",
		},
		Bools: []string{"cache-binary", "cleanup", "install", "use"},
	},
	"docker/setup-qemu-action":        {Run: recordOnly, Inputs: []string{"image", "platforms", "reset", "cache-image"}},
	"actions/attest":                  {Run: attest, Inputs: attestInputs, Bools: attestBools},
	"actions/attest-build-provenance": {Run: attest, Inputs: attestInputs, Bools: attestBools},
	"actions/attest-sbom":             {Run: attest, Inputs: attestInputs, Bools: attestBools},
}
