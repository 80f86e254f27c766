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

// module holds the locations of a repository's submodules: the .git folders in which git may store them (the last one has the configuration), the
// work tree, and the URL to which relative submodule URLs are resolved.
type module struct {
	dirs []string
	top  string
	url  string
}

// filler checks out the submodules of a clone.
type filler struct {
	*gitrepo.Repo
	address func(path string) bool // reports whether a submodule may be fetched from its remote
	failed  map[string]string      // errors of failed fetches, keyed by submodule path
}

// Fill checks out the submodules of a clone if this machine has them. Other submodules remain empty folders.
func Fill(ctx context.Context, r *gitrepo.Repo, clone string) error {
	f := &filler{Repo: r, address: func(string) bool { return false }, failed: map[string]string{}}
	return f.fill(ctx, origin(f.Repo), clone, "")
}

// Complete fetches the submodules that clone, a clone of r, lacks in the given folders (see [lacking.Find]), and returns what is still missing. It
// runs no hooks and does not prompt.
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

// origin returns the module of our own work tree, without a URL. fill reads the URL only if there is a submodule.
func origin(r *gitrepo.Repo) module {
	m := module{dirs: []string{r.Dir}, top: r.Top}
	if r.Common != r.Dir {
		m.dirs = append(m.dirs, r.Common)
	}
	return m
}

// originURL returns the URL to which relative submodule URLs are resolved, or "" if there is no remote named origin.
func originURL(ctx context.Context, r *gitrepo.Repo) string {
	url, _ := r.Ask(ctx, "config", "--get", "remote.origin.url")
	return url
}

// fill checks out the submodules of a work tree, recursively. prefix is the path of the work tree relative to the top of the clone.
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

// submodule holds a submodule's settings in .gitmodules.
type submodule struct{ name, url string }

// submodules parses .gitmodules. The result is keyed by path.
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
		if !strings.Contains("/"+name+"/", "/../") { // the name is used as a path in git's own folder
			found[s["path"]] = submodule{name: name, url: s["url"]}
		}
	}
	return found
}

// modules returns the locations of one submodule of m.
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
		from.url = own // the user may have overridden the URL
	}
	return from
}

// `own` returns the folder that contains the repository's configuration file.
func (m module) own() string {
	if len(m.dirs) == 0 {
		return os.DevNull
	}
	return m.dirs[len(m.dirs)-1]
}

// relativeTo resolves a relative URL, such as "../other.git", against the URL of the repository.
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
