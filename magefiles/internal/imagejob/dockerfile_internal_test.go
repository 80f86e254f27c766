package imagejob

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// A build gets only the folder. If it would not find the Dockerfile there, the error comes before the build.
func TestDockerfileOutsideTheBuildFolder(t *testing.T) {
	for name, c := range map[string]struct {
		link map[string]string // symbolic links in app
		file map[string]string
		want string
	}{
		"out of the folder": {
			link: map[string]string{"Dockerfile": "../docker/app.Dockerfile"},
			file: map[string]string{"docker/app.Dockerfile": "FROM scratch\n"},
			want: "app/Dockerfile is a link to ../docker/app.Dockerfile, which the build cannot read, because the build gets only the folder app",
		},
		"out of the folder in two steps": {
			link: map[string]string{"Dockerfile": "here", "here": "../there"},
			file: map[string]string{"there": "FROM scratch\n"},
			want: "app/Dockerfile is a link to here, which the build cannot read, because the build gets only the folder app",
		},
		"through a folder that is a link": {
			link: map[string]string{"Dockerfile": "docker/Dockerfile", "docker": "../docker"},
			file: map[string]string{"docker/Dockerfile": "FROM scratch\n"},
			want: "app/Dockerfile is a link to docker/Dockerfile, which the build cannot read, because the build gets only the folder app",
		},
		"a file that the build leaves out": {
			link: map[string]string{".dockerignore": "../.dockerignore"},
			file: map[string]string{"app/Dockerfile": "FROM scratch\n", ".dockerignore": "x\n"},
			want: "app/.dockerignore is a link to ../.dockerignore, which the build cannot read, because the build gets",
		},
		"a folder whose name has the same beginning": {
			link: map[string]string{"Dockerfile": "../app2/Dockerfile"},
			file: map[string]string{"app2/Dockerfile": "FROM scratch\n"},
			want: "app/Dockerfile is a link to ../app2/Dockerfile",
		},
		"within the folder": {map[string]string{"Dockerfile": "docker/it"}, map[string]string{"app/docker/it": "FROM scratch\n"}, ""},
		"nothing":           {nil, nil, "app has no Dockerfile"},
		"ignored":           {nil, map[string]string{"app/Dockerfile": "FROM scratch\n", ".gitignore": "Dockerfile\n"}, "app/Dockerfile is not committed, but an image is built only from committed files"},
	} {
		t.Run(name, func(t *testing.T) {
			w := aWorkspace(t, `"https://prefix.dev/ours"`)
			a := maker(w)
			for file, text := range c.file {
				at := filepath.Join(w.Root, filepath.FromSlash(file))
				require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o755))
				require.NoError(t, os.WriteFile(at, []byte(text), 0o644))
			}
			for file, to := range c.link {
				require.NoError(t, os.Symlink(to, filepath.Join(w.Root, "app", file)))
			}
			for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=a", "-c", "user.email=a@example.invalid", "commit", "-q", "-m", "first"}} {
				require.NoError(t, a.Runner.Run(t.Context(), command.Cmd{Name: "git", Args: args, Dir: w.Root}))
			}
			repo, err := gitrepo.Open(t.Context(), a.Runner, w.Root)
			require.NoError(t, err)
			r, err := a.makeRequest(t.Context(), w.Downstreams[0], repo, Flags{}, &registry.Registry{})
			if c.want == "" {
				require.NoError(t, err)
				require.Equal(t, "FROM scratch\n", string(r.Dockerfile))
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}

// If a downstream is in a submodule, or is one, the error says so, because `git add` would not help.
func TestDownstreamsInSubmodules(t *testing.T) {
	for name, link := range map[string]string{"itself": "app", "in a folder": "things", "deep": "a/b"} {
		t.Run(name, func(t *testing.T) {
			w := aWorkspace(t, `"https://prefix.dev/ours"`)
			a := maker(w)
			git := func(dir string, args ...string) {
				args = append([]string{"-c", "user.name=a", "-c", "user.email=a@example.invalid"}, args...)
				require.NoError(t, a.Runner.Run(t.Context(), command.Cmd{Name: "git", Args: args, Dir: dir}))
			}
			d := *w.Downstreams[0]
			if d.Dir = link; name != "itself" {
				d.Dir += "/app"
			}
			require.NoError(t, os.MkdirAll(filepath.Join(w.Root, d.Dir), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(w.Root, d.Dir, "Dockerfile"), []byte("FROM scratch\n"), 0o644))
			sub := filepath.Join(w.Root, link)
			git(sub, "init", "-q")
			git(sub, "add", "-A")
			git(sub, "commit", "-q", "-m", "first")
			git(w.Root, "init", "-q")
			git(w.Root, "add", "-A")
			git(w.Root, "commit", "-q", "-m", "first")
			repo, err := gitrepo.Open(t.Context(), a.Runner, w.Root)
			require.NoError(t, err)
			for range 2 { // the second time with changes in the submodule
				_, err = a.makeRequest(t.Context(), &d, repo, Flags{}, &registry.Registry{})
				require.ErrorContains(t, err, d.Dir+" is in the submodule "+link+", but ")
				require.NoError(t, os.WriteFile(filepath.Join(w.Root, d.Dir, "Dockerfile"), []byte("FROM busybox\n"), 0o644))
			}
		})
	}
}

// If the SBOM generator cannot be pulled, the next step depends on the cause, because a mirror does not always help.
func TestNextStepForTheSBOMGenerator(t *testing.T) {
	for status, next := range map[int]string{
		http.StatusNotFound:        "copy this image to a mirror, and set BUILDKIT_SBOM_GENERATOR to the mirror; ",
		http.StatusForbidden:       "log in with `docker login 127.0.0.1:",
		http.StatusTooManyRequests: "wait, then run the same command again",
		http.StatusBadRequest:      "look for the reason in the answer above, or in the log of the registry",
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/v2/" {
				w.WriteHeader(status)
			}
		}))
		_, _, err := chooseGenerator(t.Context(), &registry.Registry{}, strings.TrimPrefix(s.URL, "http://")+"/a/scanner:1")
		s.Close()
		require.Contains(t, fmt.Sprintf("%+v", err), "\n→ "+next)
		require.Contains(t, operr.NextOf(err), "or set BUILDKIT_SBOM_GENERATOR=off to build without an SBOM")
	}
	docker := t.TempDir()
	t.Setenv("DOCKER_CONFIG", docker)
	require.NoError(t, os.WriteFile(filepath.Join(docker, "config.json"), []byte(`{"credsStore":"not-there"}`), 0o600))
	_, _, err := chooseGenerator(t.Context(), &registry.Registry{}, "127.0.0.1:1/a/scanner:1")
	require.ErrorContains(t, err, "the credential helper docker-credential-not-there, which does not run")
	require.Contains(t, operr.NextOf(err), "install this helper, or remove it from docker's config.json")
}
