package dockerfile

import (
	"path"
	"strings"
)

// Mount is a mount of a RUN instruction.
type Mount struct {
	Type     string // bind, cache, secret, ssh, tmpfs
	ID       string // id as written; otherwise BuildKit's default
	Required bool   // the step fails if the secret or agent is not provided
	Line     int
}

// Mounts returns the mounts of all RUN instructions.
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
	case m.Type == "secret" && source != "": // an alias; BuildKit rejects it together with id
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

// Cache is a cache mount of a RUN instruction.
type Cache struct {
	ID   string // id as written; defaults to the target
	Line int
}

// Caches returns the cache mounts in a file. The builder preserves these folders, and shares them between all builds that use the same id.
func (f *File) Caches() (caches []Cache) {
	for _, m := range f.Mounts() {
		if m.Type == "cache" {
			caches = append(caches, Cache{ID: m.ID, Line: m.Line})
		}
	}
	return caches
}
