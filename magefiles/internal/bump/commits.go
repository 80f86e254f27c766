package bump

import (
	"context"
	"path"
	"slices"

	"github.com/foopack/foopack/magefiles/internal/changelog"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/version"
	"github.com/foopack/foopack/magefiles/internal/workspace"
)

// History is what is asked of git to size a bump.
type History interface {
	// MergedTags returns the commit of every tag that HEAD contains, by the tag's name.
	MergedTags(ctx context.Context) (map[string]string, error)
	// Log returns the commits that HEAD has and a tag has not, the newest first; all for "". Paths are relative to the
	// workspace's root; what lies outside of it is left out.
	Log(ctx context.Context, since string) ([]Commit, error)
}

// Commit is one commit of the history.
type Commit struct {
	Hash    string   `json:"hash"` // abbreviated
	Subject string   `json:"subject"`
	Body    string   `json:"-"`
	Paths   []string `json:"-"`
}

// change is what a commit's message says of it.
func (c Commit) change() changelog.Change { return changelog.ReadChange(c.Subject, c.Body) }

// size is what a commit asks for: something breaking a major version, a feat a minor one, a fix, perf or revert a patch,
// and anything else nothing. What is breaking before 1.0 is a minor version.
func (c Commit) size(at version.Version) version.Size {
	change := c.change()
	switch kind := change.Kind; {
	case change.Breaking && at.Compare(version.MustParse("1")) >= 0:
		return version.Major
	case change.Breaking, kind == "feat":
		return version.Minor
	case kind == "fix", kind == "perf", kind == "revert":
		return version.Patch
	}
	return version.None
}

// past is the history, asked once, and which packages each commit touched.
type past struct {
	History
	tags   map[string]string
	log    map[string][]Commit
	owners map[string][]string // packages by folder; none for a downstream's
}

// lastTag is a tag that names a version.
type lastTag struct {
	name    string
	version version.Version
}

func (h *past) mergedTags(ctx context.Context) (map[string]string, error) {
	if h.tags != nil {
		return h.tags, nil
	}
	if h.History == nil {
		return nil, operr.New("run `git init` and commit, or say a version", "the size of the bump is to come from the commits, and there is no git repository")
	}
	tags, err := h.MergedTags(ctx)
	if err != nil {
		return nil, err // what failed is asked again
	}
	h.tags = tags
	return tags, nil
}

func (h *past) since(ctx context.Context, tag string) ([]Commit, error) {
	if commits, ok := h.log[tag]; ok {
		return commits, nil
	}
	commits, err := h.Log(ctx, tag)
	if err != nil {
		return nil, err
	}
	if h.log == nil {
		h.log = map[string][]Commit{}
	}
	h.log[tag] = commits
	return commits, nil
}

// selectOf returns those commits that touched a package.
func (h *past) selectOf(name string, commits []Commit) []Commit {
	var out []Commit
	for _, c := range commits {
		if slices.ContainsFunc(c.Paths, func(p string) bool { return slices.Contains(h.findOwners(p), name) }) {
			out = append(out, c)
		}
	}
	return out
}

// findOwners returns the packages that a path belongs to: those of the nearest folder.
func (h *past) findOwners(file string) []string {
	for dir := path.Dir(file); ; dir = path.Dir(dir) {
		if names, ok := h.owners[dir]; ok {
			return names
		}
		if dir == "." {
			return nil
		}
	}
}

// assignFolders says which folder is whose.
func (h *past) assignFolders(w *workspace.Workspace) {
	h.owners = map[string][]string{}
	for _, d := range w.Downstreams {
		h.owners[d.Dir] = nil
	}
	for _, p := range w.Packages {
		for _, dir := range []string{p.Dir, p.SourceDir} {
			if dir != "" && !slices.Contains(h.owners[dir], p.Name) {
				h.owners[dir] = append(h.owners[dir], p.Name)
			}
		}
	}
}
