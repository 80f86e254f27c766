package imagejob

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// docker:merge reads only digests that a build has written. A job reuses only local images that a build has written. A pull request that adds such
// files cannot choose what is published.
func TestHostileFilesInTheFolderOfImages(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0", 64) + "\n"
	for name, c := range map[string]struct {
		file, text string
		refused    bool
	}{
		"the digest of a platform":        {"output/images/app/linux-arm64.digest", digest, true},
		"the digest of several platforms": {"output/images/app/linux-amd64-linux-arm64.digest", digest, true},
		"a kept image":                    {"output/images/app/oci/index.json", "{}", true},
		"the note of a check that passed": {"output/images/app/proved", digest, true},
		"a person's own file":             {"output/notes.txt", "hello\n", false},
		"a file of another folder":        {"output/images/apples/linux-arm64.digest", digest, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := aWorkspace(t, `"https://prefix.dev/ours"`)
			a := maker(w)
			write := func(file, text string) {
				path := filepath.Join(w.Root, file)
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
			}
			git := func(args ...string) {
				args = append([]string{"-c", "user.name=a", "-c", "user.email=a@example.invalid"}, args...)
				require.NoError(t, a.Runner.Run(t.Context(), command.Cmd{Name: "git", Args: args, Dir: w.Root}))
			}
			write("app/Dockerfile", "FROM scratch\n")
			write(c.file, c.text)
			git("init", "-q")
			git("add", "-A", "-f")
			git("commit", "-q", "-m", "planted")
			for _, ask := range []asking{unasked, mayAsk, mustAsk} {
				_, err := a.job(t.Context(), w.Downstreams[0], Flags{}, ask)
				if !c.refused {
					require.NotContains(t, errorText(err), "is committed")
					continue
				}
				require.EqualError(t, err, c.file+" is committed, but this folder is only for files that a build writes")
				require.Equal(t, operr.Failed, operr.ExitStatus(err))
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
