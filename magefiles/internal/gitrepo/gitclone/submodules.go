package gitclone

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/gitrepo"
	"github.com/foopack/foopack/magefiles/internal/gitrepo/lacking"
)

// module is where submodules of a repository may be had: the folders that git keeps for it, the first with its
// configuration; its work tree; and its address, which theirs may be relative to.
type module struct {
	dirs []string
	top  string
	url  string
}

// filler fills the submodules of a clone of ours.
type filler struct {
	*gitrepo.Repo
	address func(path string) bool // reports whether a submodule may be asked for at its address
	failed  map[string]string      // why one could not be had, by path
}

// Fill checks out the submodules of a clone of ours that the original has on this machine. Others stay empty folders.
func Fill(ctx context.Context, r *gitrepo.Repo, clone string) error {
	f := &filler{Repo: r, address: func(string) bool { return false }, failed: map[string]string{}}
	return f.fill(ctx, origin(f.Repo), clone, "")
}

// Complete fetches what clone, a clone of r, lacks in the folders (as of [lacking.Find]), and returns what it lacks then.
// No hook runs, and nothing asks at the terminal.
func Complete(ctx context.Context, r *gitrepo.Repo, clone *gitrepo.Repo, packed, named []string) ([]lacking.Lack, error) {
	lacks, err := lacking.Find(ctx, clone, packed, named)
	if err != nil || len(lacks) == 0 {
		return lacks, err
	}
	dirs := clone.FromTop(append(append([]string(nil), packed...), named...))
	f := &filler{Repo: r, address: func(link string) bool { return lacking.Touches(dirs, link) }, failed: map[string]string{}}
	if err := f.fill(ctx, origin(f.Repo), clone.Top, ""); err != nil {
		return nil, err
	}
	lacks, err = lacking.Find(ctx, clone, packed, named)
	for i, l := range lacks {
		lacks[i].Detail = f.failed[l.Path]
	}
	return lacks, err
}

// origin is the module that a work tree of ours is, without its address, which fill asks for where there is a submodule.
func origin(r *gitrepo.Repo) module {
	m := module{dirs: []string{r.Dir}, top: r.Top}
	if r.Common != r.Dir {
		m.dirs = append(m.dirs, r.Common)
	}
	return m
}

// originURL is the address that those of submodules may be relative to; "" where there is none, and such a one is of no use.
func originURL(ctx context.Context, r *gitrepo.Repo) string {
	url, _ := r.Ask(ctx, "config", "--get", "remote.origin.url")
	return url
}

// fill fills the submodules of a work tree of ours, and theirs. prefix is its path from the top of the clone.
func (f *filler) fill(ctx context.Context, m module, dir, prefix string) error {
	clone := gitrepo.At(f.Runner, dir)
	entries, err := clone.Entries(ctx)
	if err != nil {
		return err
	}
	var settings map[string]submodule
	for _, e := range entries {
		if e.Mode != gitrepo.LinkMode {
			continue
		}
		if settings == nil {
			settings = submodules(ctx, clone)
			if prefix == "" {
				m.url = originURL(ctx, f.Repo)
			}
		}
		from := f.modules(ctx, m, e.Path, settings[e.Path])
		at := path.Join(prefix, e.Path)
		if !clone.IsCheckedOut(e.Path) && !f.take(ctx, from, filepath.Join(dir, filepath.FromSlash(e.Path)), at, e.Object) {
			if err := context.Cause(ctx); err != nil {
				return err
			}
			continue
		}
		if err := f.fill(ctx, from, filepath.Join(dir, filepath.FromSlash(e.Path)), at); err != nil {
			return err
		}
	}
	return nil
}

// submodule is what .gitmodules says of one.
type submodule struct{ name, url string }

// submodules reads .gitmodules, by path.
func submodules(ctx context.Context, r *gitrepo.Repo) map[string]submodule {
	out, err := r.Ask(ctx, "config", "--null", "--file=.gitmodules", "--get-regexp", "--", `^submodule\.`)
	byName := map[string]map[string]string{}
	for kv := range strings.SplitSeq(out, "\x00") {
		key, value, _ := strings.Cut(kv, "\n")
		key = strings.TrimPrefix(key, "submodule.")
		if dot := strings.LastIndexByte(key, '.'); err == nil && dot > 0 {
			if byName[key[:dot]] == nil {
				byName[key[:dot]] = map[string]string{}
			}
			byName[key[:dot]][key[dot+1:]] = value
		}
	}
	found := map[string]submodule{}
	for name, s := range byName {
		if !strings.Contains("/"+name+"/", "/../") { // a name is a folder in git's own
			found[s["path"]] = submodule{name: name, url: s["url"]}
		}
	}
	return found
}

// modules says where a submodule of m may be had.
func (f *filler) modules(ctx context.Context, m module, link string, s submodule) module {
	var from module
	if m.top != "" {
		top := filepath.Join(m.top, filepath.FromSlash(link))
		if _, err := os.Lstat(filepath.Join(top, ".git")); err == nil {
			from.top = top
			if dir, err := gitrepo.At(f.Runner, top).Ask(ctx, "rev-parse", "--absolute-git-dir"); err == nil {
				from.dirs = append(from.dirs, filepath.FromSlash(dir))
			}
		}
	}
	for _, d := range m.dirs {
		dir := filepath.Join(d, "modules", filepath.FromSlash(s.name))
		if st, err := os.Stat(filepath.Join(dir, "HEAD")); s.name != "" && err == nil && !st.IsDir() {
			from.dirs = append(from.dirs, dir)
		}
	}
	from.url = relativeTo(m.url, s.url)
	if own, err := f.Ask(ctx, "config", "--file="+filepath.Join(m.own(), "config"), "--includes", "--get", "--", "submodule."+s.name+".url"); err == nil && s.name != "" && own != "" {
		from.url = own // what the person has made of it
	}
	return from
}

// own is the folder with the configuration.
func (m module) own() string {
	if len(m.dirs) == 0 {
		return os.DevNull
	}
	return m.dirs[len(m.dirs)-1]
}

// relativeTo gives a relative address, "../other.git", that of the repository to which it is relative.
func relativeTo(base, url string) string {
	if !strings.HasPrefix(url, "./") && !strings.HasPrefix(url, "../") {
		return url
	}
	if base == "" {
		return ""
	}
	base, separator := strings.TrimRight(base, "/"), "/"
	for {
		if rest, ok := strings.CutPrefix(url, "./"); ok {
			url = rest
			continue
		}
		rest, ok := strings.CutPrefix(url, "../")
		if !ok {
			return base + separator + url
		}
		url = rest
		if at := strings.LastIndexAny(base, "/:"); at >= 0 {
			separator, base = base[at:at+1], base[:at]
		}
	}
}
