package gitrepo_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitclone"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitremote"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/gitrepotest"
)

// Remote names and addresses that git or ssh would parse as an option are refused before git runs.
func TestHostileRemotes(t *testing.T) {
	dir, run := gitrepotest.New(t)
	git := func(args ...string) string { return gitrepotest.Git(t, run, dir, args...) }
	git("remote", "add", "origin", "x")
	repo, err := gitrepo.Open(t.Context(), run, dir)
	require.NoError(t, err)
	touched := filepath.Join(dir, "touched")
	head, err := repo.Resolve(t.Context(), "HEAD")
	require.NoError(t, err)
	for _, remote := range []string{"--upload-pack=touch " + touched, "-o", "--receive-pack=touch " + touched} {
		_, err := gitremote.Read(t.Context(), repo, remote)
		require.ErrorContains(t, err, "it begins with a dash")
		require.ErrorContains(t, gitremote.Push(t.Context(), repo, remote, head, "main"), "it begins with a dash")
		require.ErrorContains(t, gitremote.Fetch(t.Context(), repo, remote), "it begins with a dash")
	}
	for _, address := range []string{"ssh://-oProxyCommand=touch/x", "-oProxyCommand=touch x:y", "git@-oProxyCommand=touch:x", "--upload-pack=touch " + touched} {
		git("config", "remote.origin.url", address)
		_, err := gitremote.Read(t.Context(), repo, "origin")
		require.ErrorContains(t, err, "git or ssh would read it as an option", address)
		require.ErrorContains(t, gitremote.Push(t.Context(), repo, "origin", head, "main"), "git or ssh would read it as an option", address)
	}
	for _, address := range []string{"../a-b.git", "git@host-a:x/-y.git", "https://host/-x", "/a:-b"} {
		git("config", "remote.origin.url", address)
		url, err := gitremote.URL(t.Context(), repo, "origin")
		require.NoError(t, err)
		require.Equal(t, address, url)
	}
	require.NoFileExists(t, touched)
}

// Commit names that look like options must not be parsed as options.
func TestHostileCommits(t *testing.T) {
	dir, run := gitrepotest.New(t)
	repo, err := gitrepo.Open(t.Context(), run, dir)
	require.NoError(t, err)
	ctx, output := t.Context(), filepath.Join(dir, "output")
	for _, name := range []string{"--output=" + output, "--hard", "-f", "--all"} {
		_, err := repo.CountAhead(ctx, name, "HEAD")
		require.Error(t, err, name)
		_, err = repo.Parent(ctx, name)
		require.Error(t, err, name)
		_, err = repo.Differs(ctx, name, "HEAD", ".")
		require.Error(t, err, name)
		_, err = repo.LineOrigin(ctx, name, "a", 1)
		require.Error(t, err, name)
		_, err = repo.Revert(ctx, name)
		require.Error(t, err, name)
		require.ErrorContains(t, repo.ResetTo(ctx, name), "it begins with a dash")
		require.Error(t, gitclone.Borrow(ctx, repo, filepath.Join(t.TempDir(), "clone"), name), name)
		require.Error(t, repo.DeleteTag(ctx, name), name)
	}
	require.NoFileExists(t, output)
}

// Git's helpers and hooks record their environment. Helpers that contact a remote get the credentials for it. Hooks of a commit get only the signing
// agents. None gets publishing credentials.
func TestHostileEnvironmentOfGit(t *testing.T) {
	dir, plain := gitrepotest.New(t)
	git := func(args ...string) string { return gitrepotest.Git(t, plain, dir, args...) }
	bare, seen := gitrepotest.AddRemote(t, dir, git), t.TempDir()
	for name, script := range map[string]string{"pre-commit": "env", "commit-msg": "env", "pre-push": "env"} {
		gitrepotest.Hook(t, filepath.Join(dir, ".git"), name, script+" > "+filepath.Join(seen, name))
	}
	ssh := filepath.Join(seen, "ssh")
	require.NoError(t, os.WriteFile(ssh, []byte("#!/bin/sh\nenv > "+filepath.Join(seen, "fetch")+"\nexit 1\n"), 0o755))
	git("config", "credential.helper", `!f() { echo "password=${MY_HELPERS_PASSWORD}"; }; f`)
	run := command.NewSystem(append(plain.(*command.System).Environ(),
		"PREFIX_API_KEY=secret-of-prefix", "ACTIONS_RUNTIME_TOKEN=secret-of-a-runner", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=secret-of-a-job", "AWS_SECRET_ACCESS_KEY=secret-of-a-cloud",
		"NPM_TOKEN=secret-of-npm", "UV_PUBLISH_TOKEN=secret-of-pypi", "SSH_AUTH_SOCK=the-agent", "GITHUB_TOKEN=let-in", "MY_HELPERS_PASSWORD=let-in-too", "GIT_SSH="+ssh,
		"https_proxy=http://me:of-the-proxy@proxy"), nil)
	repo, err := gitrepo.Open(t.Context(), run, dir)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "sub", "file"), []byte("second\n"), 0o644))
	made, err := repo.Commit(t.Context(), []string{"sub/file"}, "feat: second")
	require.NoError(t, err)
	require.NoError(t, gitremote.Push(t.Context(), repo, "origin", made, "main"))
	git("remote", "set-url", "origin", "ssh://somewhere/"+bare)
	require.Error(t, gitremote.Fetch(t.Context(), repo, "origin"))
	for name, sees := range map[string][]string{
		"pre-commit": {"the-agent"}, "commit-msg": {"the-agent"},
		"pre-push": {"the-agent", "=let-in\n", "let-in-too", "of-the-proxy"}, "fetch": {"the-agent", "=let-in\n", "let-in-too", "of-the-proxy"},
	} {
		text, err := os.ReadFile(filepath.Join(seen, name))
		require.NoError(t, err, "%s was not run", name)
		require.NotContains(t, string(text), "secret-of-", name)
		for _, value := range []string{"the-agent", "=let-in\n", "let-in-too"} {
			require.Equal(t, slices.Contains(sees, value), strings.Contains(string(text), value), "%s: %s", name, value)
		}
	}
}
