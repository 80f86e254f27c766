package e2e_test

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"
)

// proven checks, with the real builder, that no tag moves to an image that fails its checks or contains a secret.
func (w *imaging) proven(t *testing.T) {
	w.note("fix: prove it")
	before := w.tags()
	head := strings.TrimSpace(w.Run(w.root, "git", "rev-parse", "HEAD"))
	file := filepath.Join(w.root, "small", "Dockerfile")
	plain, err := os.ReadFile(file)
	require.NoError(t, err)
	entry := func(lines string) string { return string(plain) + lines + "\n" }
	for _, c := range []struct{ what, dockerfile, says string }{
		{"a login shell", entry(`ENTRYPOINT ["bash", "-lc"]`), `the entry point ["bash","-lc"] also succeeds with another command`},
		{"env before a shell", entry(`ENTRYPOINT ["env", "--", "sh", "-c", "true"]`), "also succeeds with another command"},
		{"a script that looks at nothing", entry(`RUN printf '#!/bin/sh\nexit 0\n' >/entry && chmod +x /entry` + "\n" + `ENTRYPOINT ["/entry"]`), `the entry point ["/entry"] also succeeds with another command`},
		{"a script that passes what fails", entry(`RUN printf '#!/bin/sh\n"$@"\nexit 0\n' >/entry && chmod +x /entry` + "\n" + `ENTRYPOINT ["/entry"]`), `the entry point ["/entry"] also succeeds with a command that fails`},
		{"the shell form of another shell", entry(`SHELL ["/bin/bash", "-o", "pipefail", "-c"]` + "\nENTRYPOINT true"), "has an entry point in the shell form"},
		{"on the builder's platform", strings.Replace(string(plain), "\nFROM ${BASE_IMAGE}\n", "\nFROM --platform=$BUILDPLATFORM ${BASE_IMAGE}\n", 1), "the image of small for linux/arm64 has a program of another platform: grep is for amd64"},
		{"on one platform", strings.Replace(string(plain), "\nFROM ${BASE_IMAGE}\n", "\nFROM --platform=linux/arm64 ${BASE_IMAGE}\n", 1), "the image of small for linux/amd64 has a program of another platform: grep is for arm64"},
		{"a password in a step", entry(`RUN A=https://me: && true "${A}secret@host.invalid/simple" https://me:secret@host.invalid/`), "the Dockerfile of small has a password in an address"},
		{"a secret of this machine in a label", entry("LABEL their=the-secret-of-another-server"), "the configuration for linux/amd64 of small has the value of the variable OTHER_TOKEN in it"},
	} {
		require.NoError(t, os.WriteFile(file, []byte(c.dockerfile), 0o644))
		w.commit("fix: " + c.what)
		out, problems, err := w.run([]string{"OTHER_TOKEN=the-secret-of-another-server"}, "docker:image", "small", "-push", "-yes")
		require.Error(t, err, "%s: %s", c.what, out)
		require.Contains(t, problems, c.says, c.what)
		require.Contains(t, problems, "\n→ ")
		require.Equal(t, before, w.tags(), "%s: no tag moved", c.what)
	}
	w.Run(w.root, "git", "reset", "--quiet", "--hard", head)

	w.edit("small/Dockerfile", "COPY notes /notes\n", "COPY notes /notes\nRUN printf '#!/bin/sh\\nexec \"$@\"\\n' >/entry && chmod +x /entry\nENTRYPOINT [\"/entry\"]\n")
	w.commit("fix: an entry point that runs what it is given")
	r := w.result("docker:image", "small", "-push", "-yes")
	require.Equal(t, []string{"linux/amd64", "linux/arm64"}, r.Checked)

	w.note("fix: behind a proxy")
	docker := filepath.Join(t.TempDir(), "docker")
	require.NoError(t, os.CopyFS(docker, os.DirFS(w.variable("DOCKER_CONFIG"))))
	require.NoError(t, os.WriteFile(filepath.Join(docker, "config.json"), []byte(`{"proxies":{"default":{"httpProxy":"http://me:secret@127.0.0.1:1","noProxy":"127.0.0.1"}}}`), 0o600))
	out, problems, err := w.run([]string{"DOCKER_CONFIG=" + docker}, "docker:image", "small", "-push", "-yes")
	require.NoError(t, err, problems)
	require.Contains(t, out, "the provenance omits the build arguments, because docker's proxy settings have a password")
	require.NotContains(t, w.statements("small:latest"), "secret")
	w.lends(t)
}

// lends passes the secrets named in [tool.image] to build steps, in the real builder, and checks that none of them is published.
func (w *imaging) lends(t *testing.T) {
	short, err := os.MkdirTemp("", "ag") // the path of a socket must be short
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(short) })
	agent, err := net.Listen("unix", filepath.Join(short, "s"))
	require.NoError(t, err)
	defer agent.Close()
	lent := []string{"SSH_AUTH_SOCK=" + filepath.Join(short, "s"), "OUR_TOKEN=our-own-secret-of-16"}
	head := strings.TrimSpace(w.Run(w.root, "git", "rev-parse", "HEAD"))
	w.edit("small/pixi.toml", "[tool.image]\n", "[tool.image]\nssh = true\nsecrets = [\"OUR_TOKEN\"]\n")
	w.edit("small/Dockerfile", "COPY notes /notes\n", "COPY notes /notes\nRUN --mount=type=ssh,required test -S \"$SSH_AUTH_SOCK\"\nRUN --mount=type=secret,id=OUR_TOKEN,env=OUR_TOKEN,required=true test \"${#OUR_TOKEN}\" = 20\n")
	w.commit("fix: lend")
	_, problems, err := w.run(lent[:1], "docker:image", "small", "-push", "-yes")
	require.Error(t, err)
	require.Contains(t, problems, "mounts the secret OUR_TOKEN, but the environment variable of this name is not set; the step requires this mount")
	out, problems, err := w.run(lent, "docker:image", "small", "-push", "-yes")
	require.NoError(t, err, problems)
	require.Contains(t, out, "✓ tag")
	require.NotContains(t, w.statements("small:latest"), "our-own-secret")

	w.edit("small/Dockerfile", "COPY notes /notes\n", "COPY notes /notes\nRUN --mount=type=secret,id=OUR_TOKEN,env=OUR_TOKEN,required=true printf %s \"$OUR_TOKEN\" >/notes && echo \"it is $OUR_TOKEN\" && false\n")
	w.commit("fix: say it")
	_, problems, err = w.run(lent, "docker:image", "small", "-push", "-yes")
	require.Error(t, err)
	require.Contains(t, problems, "it is ***")
	require.NotContains(t, problems, "our-own-secret-of-16")
	w.Run(w.root, "git", "checkout", "--quiet", head, "--", "small")
	w.commit("fix: lend nothing")
}

// statements returns all attestations of the images that a tag refers to.
func (w *imaging) statements(tag string) (text string) {
	w.t.Helper()
	ref, err := name.ParseReference(w.Registry + "/someone/" + tag)
	require.NoError(w.t, err)
	index, err := remote.Index(ref)
	require.NoError(w.t, err)
	manifest, err := index.IndexManifest()
	require.NoError(w.t, err)
	for _, d := range manifest.Manifests {
		img, err := index.Image(d.Digest)
		require.NoError(w.t, err)
		if d.Platform == nil || d.Platform.OS != "unknown" {
			continue
		}
		layers, err := img.Layers()
		require.NoError(w.t, err)
		for _, l := range layers {
			r, err := l.Uncompressed()
			require.NoError(w.t, err)
			statement, err := io.ReadAll(r)
			require.NoError(w.t, err)
			text += string(statement)
		}
	}
	require.Contains(w.t, text, "https://slsa.dev/provenance/")
	return text
}
