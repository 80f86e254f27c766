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

// machines maps OCI architectures to ELF machines.
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "ppc64le": elf.EM_PPC64}

// usual lists programs that every Python image has, regardless of its entry point.
var usual = []string{"sh", "python3", "python"}

// examine compares the architecture of programs in the images with the images' platforms. If the last stage uses $BUILDPLATFORM or a fixed platform,
// an image contains programs of the wrong platform, and its check still passes on a builder that can run them. The builder, which has the layers,
// exports the programs; they do not run here. A single build fetches the programs of all platforms whose programs are in the same places.
func (q *Prover) examine(ctx context.Context, images []registry.Image) error {
	var all []*searched
	for _, one := range images {
		all = append(all, &searched{
			Image: one,
			names: slices.Concat(listStarted(one.Entrypoint), listStarted(q.Check), usual),
			dirs:  readPath(one.Env),
		})
	}
	for range 2 { // the second round is for programs that are started by scripts
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

// searched is an image with the programs to examine and the folders to search.
type searched struct {
	registry.Image
	names, dirs []string
}

// groupAlike groups images whose programs may be in the same places.
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

// compare examines the programs of a group of images. For each image, it sets the names and folders for the second round.
func (q *Prover) compare(ctx context.Context, group []*searched) error {
	found, err := q.fetch(ctx, group)
	if err != nil {
		return err
	}
	for n, s := range group {
		s.dirs = nil
		for _, p := range found[n] {
			if err := p.fits(s.Platform); err != nil {
				return operr.New("build the last stage of the Dockerfile for the requested platform: write FROM without --platform, or with $TARGETPLATFORM, and copy files that were built for $TARGETARCH. No tag was moved",
					"the image of %s for %s has a program of another platform: %w", q.Name, s.Platform, err)
			}
			s.names, s.dirs = append(s.names, p.interpreters()...), append(s.dirs, p.folders()...)
		}
	}
	return nil
}

func takeFirst(argv []string) []string { return argv[:min(1, len(argv))] }

// wrappers start the program that follows their options.
var wrappers = []string{"tini", "dumb-init", "catatonit", "env", "nice", "exec", "time"}

// listStarted returns the programs that a command starts: the first word, the program after a wrapper, and, as far as simple parsing can find them,
// the first words of the commands in a shell script.
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

// isCommandFlag reports whether a shell option makes the next word a script, as -c and -lc do.
func isCommandFlag(word string) bool {
	return strings.HasPrefix(word, "-") && !strings.HasPrefix(word, "--") && strings.HasSuffix(word, "c")
}

// mostStarted limits how many of a script's programs are examined, because each adds a build step.
const mostStarted = 30

var betweenCommands = lazyregexp.New(`&&|[;|&\n(){}]`)

// readPath returns the folders in an image's PATH, in order.
func readPath(env []string) []string {
	for _, e := range env {
		if list, ok := strings.CutPrefix(e, "PATH="); ok {
			return append(strings.Split(list, ":"), "/usr/bin", "/bin")
		}
	}
	return []string{"/usr/local/bin", "/usr/bin", "/bin"}
}

// listPlaces returns the possible paths of each program, in search order. It skips paths with unusual characters.
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
