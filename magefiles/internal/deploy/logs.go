package deploy

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
)

// Logs writes what the containers write that requests go to, each line behind its host: the last ones, or with follow on and on.
func (d *Deployer) Logs(ctx context.Context, follow bool, out io.Writer) error {
	const tail = 100
	var mu sync.Mutex
	return d.each(ctx, d.everywhere(), func(ctx context.Context, h HostPlan, m *Machine) error {
		seen := d.lookAt(ctx, h.Host, 0)
		if seen.err != nil {
			return seen.err
		}
		c := seen.behind(seen.Up)
		if c == nil {
			d.Say("%s: nothing answers there", h.Host)
			return nil
		}
		lines := &prefixed{to: out, mu: &mu, prefix: h.Host + "  "}
		err := m.Engine.Logs(ctx, c.ID, tail, follow, lines, lines)
		lines.end()
		return err
	})
}

// prefixed writes whole lines, each behind a prefix, to what several share.
type prefixed struct {
	to     io.Writer
	mu     *sync.Mutex // of what is written to
	prefix string
	rest   []byte
}

// longest is what of a line without an end is kept.
const longest = 64 << 10

func (p *prefixed) Write(data []byte) (int, error) {
	p.rest = append(p.rest, data...)
	for {
		line, rest, found := bytes.Cut(p.rest, []byte("\n"))
		if !found && len(p.rest) < longest {
			return len(data), nil
		}
		p.write(line)
		p.rest = bytes.Clone(rest)
	}
}

func (p *prefixed) write(line []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.to, "%s%s\n", p.prefix, line) // who reads has gone where it fails
}

func (p *prefixed) end() {
	if len(p.rest) > 0 {
		p.write(p.rest)
	}
}
