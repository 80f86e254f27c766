package workspace

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// nameByFolder gives a manifest without a name that of its folder, as pixi does.
func nameByFolder(m *manifest.Manifest, root, given string) {
	if m.Name != "" {
		return
	}
	m.ByFolder = true
	if m.Name = given; m.Dir != "." || given == "" {
		m.Name = folderName(filepath.Join(root, filepath.FromSlash(m.Dir)))
	}
}

// folderName is the name of a folder; of the top of a linked worktree of git, that of the main worktree's. What holds a
// repository alone has no worktree of that name: "acme.git" stands for acme, and "acme/.bare" too.
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

// commonDir is the folder that git keeps for all worktrees of a repository, where dir is the top of a linked one; else "".
// Git is not asked: it writes that down in files, and whoever reads a manifest needs no git.
func commonDir(dir string) string {
	text, err := os.ReadFile(filepath.Join(dir, ".git")) // of the main worktree it is a folder
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
		return "" // a submodule, or a repository whose folder lies elsewhere
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

// isChannelName reports whether a channel may be called so; package channel says what is wrong with a name.
func isChannelName(name string) bool {
	return channelForm().MatchString(name) && name != "api" && name != "t"
}

// EmbeddedChannel is the name of our channel on a server of this machine, which nobody else publishes to: the configured one,
// or else one made of the workspace's name.
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
