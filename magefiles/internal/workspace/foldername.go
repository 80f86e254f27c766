package workspace

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// nameByFolder names a manifest without a name after its folder, as pixi does. If `given` is not empty, the root manifest gets that
// name instead.
func nameByFolder(m *manifest.Manifest, root, given string) {
	if m.Name != "" {
		return
	}
	m.ByFolder = true
	if m.Name = given; m.Dir != "." || given == "" {
		m.Name = folderName(filepath.Join(root, filepath.FromSlash(m.Dir)))
	}
}

// folderName returns the name of a folder. In a linked git worktree, it returns the name of the main worktree's folder. A bare
// repository has no main worktree, so "acme.git" and "acme/.bare" both give "acme".
func folderName(dir string) string {
	if common := commonDir(dir); common != "" {
		switch base := filepath.Base(common); {
		case strings.HasPrefix(base, "."):
			dir = filepath.Dir(common)
		default:
			dir = strings.TrimSuffix(common, ".git")
		}
	}
	if name := filepath.Base(dir); name != string(filepath.Separator) && name != "." {
		return name
	}
	return "workspace"
}

// commonDir returns the git directory that all worktrees of a repository share if dir is the top of a linked worktree, and ""
// otherwise. It reads git's files directly, because reading a manifest should not require git.
func commonDir(dir string) string {
	text, err := os.ReadFile(filepath.Join(dir, ".git")) // in the main worktree, .git is a directory
	link, ok := strings.CutPrefix(strings.TrimSpace(string(text)), "gitdir:")
	if err != nil || !ok {
		return ""
	}
	own := strings.TrimSpace(link)
	if !filepath.IsAbs(own) {
		own = filepath.Join(dir, own)
	}
	text, err = os.ReadFile(filepath.Join(own, "commondir"))
	if err != nil {
		return "" // a submodule, or a repository whose folder is elsewhere
	}
	common := strings.TrimSpace(string(text))
	if !filepath.IsAbs(common) {
		common = filepath.Join(own, common)
	}
	return filepath.Clean(common)
}

var (
	channelForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`) })
	unfit       = regexp.MustCompile(`[^a-z0-9._-]+`)
)

// isChannelName reports whether `name` is a valid channel name. Package channel reports why a name is invalid.
func isChannelName(name string) bool {
	return channelForm().MatchString(name) && name != "api" && name != "t"
}

// EmbeddedChannel returns the name of our channel on a server on this machine, where nobody else publishes. It is the configured name
// or, by default, a name derived from the workspace name.
func (w *Workspace) EmbeddedChannel() string {
	if w.Config.Channel != "" {
		return w.Config.Channel
	}
	name := strings.Trim(unfit.ReplaceAllString(strings.ToLower(w.Manifest.Name), "-"), "._-")
	if name = name[:min(len(name), 100)]; isChannelName(name) {
		return name
	}
	return "workspace"
}
