package building

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/foopack/foopack/magefiles/internal/condapkg"
)

// repack copies the archive that rattler-build created, and replaces the parts that vary between builds: timestamps, because rattler-build writes
// the current time, and the prefix placeholder, which is a path in the build folder. Everything else is copied unchanged.
func repack(from, to string, sourceDate time.Time) error {
	a, err := condapkg.Open(from)
	if err != nil {
		return err
	}
	defer a.Close()
	paths, err := a.Paths()
	if err != nil {
		return err
	}
	payload, err := readPayload(a, newReplacer(paths))
	if err != nil {
		return err
	}
	info, err := readInfo(a, sourceDate, paths, payload)
	if err != nil {
		return err
	}
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	defer f.Close()
	c := condapkg.Container{Stem: a.Stem(), Info: info, Files: payload, Time: sourceDate, Level: 19}
	if err := condapkg.Write(f, c); err != nil {
		return fmt.Errorf("packing %s: %w", a.Stem(), err)
	}
	return f.Close()
}

// newReplacer returns a replacer for the build's prefix. The new prefix has the same length and contains no local path.
func newReplacer(paths []condapkg.Path) *strings.Replacer {
	var pairs []string
	for _, p := range paths {
		if old := p.PrefixPlaceholder; old != "" {
			fixed := strings.Repeat("/placehold", len(old)/10+1)[:len(old)]
			pairs = append(pairs, old, fixed)
		}
	}
	return strings.NewReplacer(pairs...)
}

// readPayload reads the package's files and replaces the prefix in them.
func readPayload(a *condapkg.Archive, prefixes *strings.Replacer) ([]condapkg.Member, error) {
	var out []condapkg.Member
	err := a.Walk(func(h *tar.Header, r io.Reader) error {
		if h.Typeflag == tar.TypeDir {
			return nil
		}
		m := condapkg.Member{Path: h.Name, Mode: h.FileInfo().Mode(), Link: h.Linkname}
		if h.Typeflag == tar.TypeReg {
			data, err := io.ReadAll(r)
			if err != nil {
				return err
			}
			m.Data, m.Link = []byte(prefixes.Replace(string(data))), ""
		}
		out = append(out, m)
		return nil
	})
	return out, err
}

var timestamp = regexp.MustCompile(`("timestamp": )\d+`)

// readInfo reads the package's metadata and replaces the timestamp and the list of paths.
func readInfo(a *condapkg.Archive, sourceDate time.Time, paths []condapkg.Path, payload []condapkg.Member) ([]condapkg.Member, error) {
	names, err := a.Files()
	if err != nil {
		return nil, err
	}
	var out []condapkg.Member
	for _, name := range names {
		if !strings.HasPrefix(name, "info/") {
			continue
		}
		data, err := a.ReadFile(name)
		if err != nil {
			return nil, err
		}
		switch name {
		case "info/index.json":
			data = timestamp.ReplaceAll(data, fmt.Appendf(nil, "${1}%d", sourceDate.UnixMilli()))
		case "info/paths.json":
			if data, err = writePaths(paths, payload); err != nil {
				return nil, err
			}
		}
		out = append(out, condapkg.Member{Path: name, Mode: 0o644, Data: data})
	}
	return out, nil
}

// writePaths returns the encoded list of paths, with new digests for files that contain a prefix.
func writePaths(paths []condapkg.Path, payload []condapkg.Member) ([]byte, error) {
	data := map[string][]byte{}
	for _, m := range payload {
		data[m.Path] = m.Data
	}
	prefixes := newReplacer(paths)
	for i, p := range paths {
		if p.PrefixPlaceholder == "" {
			continue
		}
		sum, size := sha256.Sum256(data[p.Path]), int64(len(data[p.Path]))
		paths[i].PrefixPlaceholder = prefixes.Replace(p.PrefixPlaceholder)
		paths[i].SHA256, paths[i].Size = hex.EncodeToString(sum[:]), &size
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(struct {
		Paths   []condapkg.Path `json:"paths"`
		Version int             `json:"paths_version"`
	}{paths, 1})
	return b.Bytes(), err
}
