package proof

import (
	"context"
	"debug/elf"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/image/registry"
	"github.com/foopack/foopack/magefiles/internal/lazyregexp"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// machines are what ELF calls the architectures of OCI.
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "ppc64le": elf.EM_PPC64}

// usual are the programs that an image of Python has, whatever it is started by.
var usual = []string{"sh", "python3", "python"}

// examine compares the machine of what runs in images with the platforms that they are published for: a last stage on
// $BUILDPLATFORM, or on a platform that is written there, puts the programs of one into the image of the other, and a builder that runs
// them passes the check. The programs come by way of the builder, which has the layers, and are not run: those of all platforms by one
// build, where they are in the same places.
func (q *Prover) examine(ctx context.Context, images []registry.Image) error {
	var all []*searched
	for _, one := range images {
		all = append(all, &searched{
			Image: one,
			names: slices.Concat(listStarted(one.Entrypoint), listStarted(q.Check), usual),
			dirs:  readPath(one.Env),
		})
	}
	for range 2 { // what a script starts is looked for once more
		for _, group := range groupAlike(all) {
			if err := q.compare(ctx, group); err != nil {
				return err
			}
		}
		if all = slices.DeleteFunc(all, func(s *searched) bool { return len(s.dirs) == 0 }); len(all) == 0 {
			break
		}
	}
	return nil
}

// searched is an image with the programs that are looked for in it, and the folders where they may be.
type searched struct {
	registry.Image
	names, dirs []string
}

// groupAlike are those whose programs may be in the same places, together.
func groupAlike(all []*searched) (groups [][]*searched) {
	for _, s := range all {
		at := slices.IndexFunc(groups, func(g []*searched) bool {
			return maps.EqualFunc(listPlaces(g[0].names, g[0].dirs), listPlaces(s.names, s.dirs), slices.Equal)
		})
		if at < 0 {
			groups = append(groups, []*searched{s})
		} else {
			groups[at] = append(groups[at], s)
		}
	}
	return groups
}

// compare looks at the programs of images that are alike, and leaves in each where to look once more.
func (q *Prover) compare(ctx context.Context, group []*searched) error {
	found, err := q.fetch(ctx, group)
	if err != nil {
		return err
	}
	for n, s := range group {
		s.dirs = nil
		for _, p := range found[n] {
			if err := p.fits(s.Platform); err != nil {
				return operr.New("let the last stage of the Dockerfile stand on the platform that is asked for: FROM without --platform, or with $TARGETPLATFORM; and let COPY take what is made for $TARGETARCH. No tag was moved",
					"the image of %s for %s has a program of another platform: %w", q.Name, s.Platform, err)
			}
			s.names, s.dirs = append(s.names, p.interpreters()...), append(s.dirs, p.folders()...)
		}
	}
	return nil
}

func takeFirst(argv []string) []string { return argv[:min(1, len(argv))] }

// wrappers start the program that stands behind their options.
var wrappers = []string{"tini", "dumb-init", "catatonit", "env", "nice", "exec", "time"}

// listStarted are the programs that a command starts: the first word, what stands behind a wrapper, and what the script of a shell begins its
// commands with, as far as that is to be seen.
func listStarted(argv []string) []string {
	names := takeFirst(argv)
	if len(argv) > 0 && slices.Contains(wrappers, path.Base(argv[0])) {
		behind := slices.IndexFunc(argv[1:], func(w string) bool { return !strings.HasPrefix(w, "-") && !strings.Contains(w, "=") })
		if behind < 0 {
			return names
		}
		return append(slices.Clone(names), listStarted(argv[1+behind:])...)
	}
	if len(argv) == 0 || !slices.Contains(shells, path.Base(argv[0])) {
		return names
	}
	flag := slices.IndexFunc(argv, isCommandFlag)
	if flag < 0 || flag == len(argv)-1 {
		return names
	}
	names = slices.Clone(names)
	for _, c := range betweenCommands().Split(argv[flag+1], -1) {
		words := slices.DeleteFunc(strings.Fields(c), func(w string) bool { return strings.Contains(w, "=") })
		if len(words) > 0 && len(names) < mostStarted {
			names = append(names, listStarted(words)...)
		}
	}
	return names
}

// isCommandFlag reports whether a shell takes the word behind this one for a script: -c, -lc.
func isCommandFlag(word string) bool {
	return strings.HasPrefix(word, "-") && !strings.HasPrefix(word, "--") && strings.HasSuffix(word, "c")
}

// mostStarted is how many programs of a script are looked at: each is a step of a build.
const mostStarted = 30

var betweenCommands = lazyregexp.New(`&&|[;|&\n(){}]`)

// readPath are the folders in which an image looks for programs, the first one first.
func readPath(env []string) []string {
	for _, e := range env {
		if list, ok := strings.CutPrefix(e, "PATH="); ok {
			return append(strings.Split(list, ":"), "/usr/bin", "/bin")
		}
	}
	return []string{"/usr/local/bin", "/usr/bin", "/bin"}
}

// listPlaces are where each program may be, the first one that counts first. What has odd characters in it is left out.
func listPlaces(names, dirs []string) map[string][]string {
	all := map[string][]string{}
	for _, name := range names {
		at := []string{name}
		if !strings.Contains(name, "/") {
			at = nil
			for _, d := range dirs {
				at = append(at, path.Join(d, name))
			}
		}
		at = slices.DeleteFunc(at, func(p string) bool { return !plainPath().MatchString(p) })
		if len(at) > 0 {
			all[path.Base(name)] = append(all[path.Base(name)], at...)
		}
	}
	return all
}

var plainPath = lazyregexp.New(`^(/[A-Za-z0-9._+-]*[A-Za-z0-9])+$`)
