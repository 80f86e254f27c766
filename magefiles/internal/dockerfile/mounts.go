package dockerfile

import (
	"path"
	"strings"
)

// Mount is one mount of a RUN.
type Mount struct {
	Type     string // bind, cache, secret, ssh, tmpfs
	ID       string // as it is written; that which BuildKit takes where none is
	Required bool   // of secrets and agents: the step fails where none is given
	Line     int
}

// Mounts are those of all RUNs of a file.
func (f *File) Mounts() (mounts []Mount) {
	for _, i := range f.Instructions {
		for _, w := range i.Flags {
			value, ok := strings.CutPrefix(w.Text, "--mount=")
			if ok && i.Keyword == "RUN" {
				mounts = append(mounts, mount(value, i.Line))
			}
		}
	}
	return mounts
}

func mount(value string, line int) Mount {
	plain, _ := unquoted(value, 0)
	options := map[string]string{"type": "bind"}
	for option := range strings.SplitSeq(plain, ",") {
		key, v, given := strings.Cut(option, "=")
		if !given {
			v = "true"
		}
		options[strings.ToLower(key)] = v
	}
	m := Mount{Type: strings.ToLower(options["type"]), ID: options["id"], Required: strings.EqualFold(options["required"], "true"), Line: line}
	var target string
	for _, key := range []string{"target", "dst", "destination"} {
		if target == "" {
			target = options[key]
		}
	}
	source := options["source"]
	if source == "" {
		source = options["src"]
	}
	switch {
	case m.Type == "secret" && source != "": // its other name; BuildKit takes no id beside it
		m.ID = source
	case m.ID != "":
	case m.Type == "cache":
		m.ID = target
	case m.Type == "secret" && target != "":
		m.ID = path.Base(target)
	case m.Type == "ssh":
		m.ID = "default"
	}
	return m
}

// Cache is one cache mount of a RUN.
type Cache struct {
	ID   string // as it is written; the target, where none is
	Line int
}

// Caches are the cache mounts of a file: what its builds keep on the builder, and share with every build that names the same.
func (f *File) Caches() (caches []Cache) {
	for _, m := range f.Mounts() {
		if m.Type == "cache" {
			caches = append(caches, Cache{ID: m.ID, Line: m.Line})
		}
	}
	return caches
}
