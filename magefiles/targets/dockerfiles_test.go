package targets

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/image"
)

// A build gets the folder and nothing else: a Dockerfile that it will not find there is told of before anything is built.
func TestDockerfilesThatABuildDoesNotFind(t *testing.T) {
	for name, c := range map[string]struct {
		link map[string]string // in app
		file map[string]string
		want string
	}{
		"out of the folder": {
			link: map[string]string{"Dockerfile": "../docker/app.Dockerfile"},
			file: map[string]string{"docker/app.Dockerfile": "FROM scratch\n"},
			want: "app/Dockerfile is a link to ../docker/app.Dockerfile: a build gets the folder app alone, and does not find it",
		},
		"out of the folder in two steps": {
			link: map[string]string{"Dockerfile": "here", "here": "../there"},
			file: map[string]string{"there": "FROM scratch\n"},
			want: "app/Dockerfile is a link to here: a build gets the folder app alone, and does not find it",
		},
		"through a folder that is a link": {
			link: map[string]string{"Dockerfile": "docker/Dockerfile", "docker": "../docker"},
			file: map[string]string{"docker/Dockerfile": "FROM scratch\n"},
			want: "app/Dockerfile is a link to docker/Dockerfile: a build gets the folder app alone",
		},
		"what the build leaves out": {
			link: map[string]string{".dockerignore": "../.dockerignore"},
			file: map[string]string{"app/Dockerfile": "FROM scratch\n", ".dockerignore": "x\n"},
			want: "app/.dockerignore is a link to ../.dockerignore: a build gets",
		},
		"a folder whose name begins alike": {
			link: map[string]string{"Dockerfile": "../app2/Dockerfile"},
			file: map[string]string{"app2/Dockerfile": "FROM scratch\n"},
			want: "app/Dockerfile is a link to ../app2/Dockerfile",
		},
		"within the folder": {map[string]string{"Dockerfile": "docker/it"}, map[string]string{"app/docker/it": "FROM scratch\n"}, ""},
		"nothing":           {nil, nil, "app has no Dockerfile"},
		"ignored":           {nil, map[string]string{"app/Dockerfile": "FROM scratch\n", ".gitignore": "Dockerfile\n"}, "git does not have app/Dockerfile, and what is committed is what is built"},
	} {
		t.Run(name, func(t *testing.T) {
			w := aWorkspace(t, "")
			a := &app{dir: w.Root, runner: command.NewSystem(os.Environ(), nil)}
			for file, text := range c.file {
				at := filepath.Join(w.Root, filepath.FromSlash(file))
				require.NoError(t, os.MkdirAll(filepath.Dir(at), 0o755))
				require.NoError(t, os.WriteFile(at, []byte(text), 0o644))
			}
			for file, to := range c.link {
				require.NoError(t, os.Symlink(to, filepath.Join(w.Root, "app", file)))
			}
			for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"-c", "user.name=a", "-c", "user.email=a@example.invalid", "commit", "-q", "-m", "first"}} {
				require.NoError(t, a.runner.Run(t.Context(), command.Cmd{Name: "git", Args: args, Dir: w.Root}))
			}
			repo, err := gitrepo.Open(t.Context(), a.runner, w.Root)
			require.NoError(t, err)
			r, err := a.imageRequest(t.Context(), w, w.Downstreams[0], repo, ImageFlags{}, imageSettings{sbom: "off"}, &image.Registry{})
			if c.want == "" {
				require.NoError(t, err)
				require.Equal(t, "FROM scratch\n", string(r.Dockerfile))
				return
			}
			require.ErrorContains(t, err, c.want)
		})
	}
}
