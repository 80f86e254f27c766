package publish

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/columns"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/operr"
)

// Upload sends what the delivery says, by levels: the files of one level side by side, and those of the next when every form
// of the index shows all of the level below. So whoever solves meanwhile never finds a package without what it needs.
//
// An error of one file lets the others of its level end; the next level is not begun. It returns what was seen.
func (p *Publisher) Upload(ctx context.Context, delivery Delivery) (evidence string, err error) {
	uploads := delivery.Uploads()
	var bytes int64
	for _, i := range uploads {
		bytes += i.Record.Size
	}
	progress := p.Progress
	if progress == nil {
		progress = noProgress{}
	}
	progress.Begin(len(uploads), bytes)
	defer progress.End()
	levels := 0
	for level := range len(p.Workspace.Levels()) {
		items, below := split(delivery, level)
		if len(items) == 0 {
			continue
		}
		if _, err := Visible(ctx, p.Channel, below, p.Wait); err != nil {
			return "", err
		}
		if err := p.level(ctx, items, progress, levels == 0); err != nil {
			return "", err
		}
		levels++
	}
	return fmt.Sprintf("%d of %s, %s, in %s", len(uploads), operr.Count(len(delivery.Items), "artifact"), columns.Size(bytes), operr.Count(levels, "level")), nil
}

// split returns what is to be sent in a level, and the records of everything below.
func split(delivery Delivery, level int) (items []Item, below []condapkg.Record) {
	for _, i := range delivery.Items {
		switch {
		case i.Level < level:
			below = append(below, i.Record)
		case i.Level == level && (i.State == Upload || i.State == Replace):
			items = append(items, i)
		}
	}
	return items, below
}

// level sends the files of one level. nothing says that none was sent before.
func (p *Publisher) level(ctx context.Context, items []Item, progress Progress, nothing bool) error {
	var group errgroup.Group
	group.SetLimit(p.parallel())
	errs := make([]error, len(items))
	for n, i := range items {
		group.Go(func() error {
			u := channel.Upload{File: filepath.Base(i.Path), Path: i.Path, Record: i.Record, Force: i.State == Replace}
			u.Sent = func(sent int64) { progress.Sent(u.File, sent, u.Record.Size) }
			_, errs[n] = p.Channel.Put(ctx, u)
			progress.Done(u.File, errs[n])
			return nil
		})
	}
	_ = group.Wait() // the errors are in errs, in the order of the items
	if nothing && !slices.ContainsFunc(errs, func(err error) bool { return !isRefusal(err) }) {
		return &RefusedError{Err: first(errs)}
	}
	return first(errs)
}

// isRefusal reports whether an upload has failed by an answer that says that the file was not taken. One to the question what the channel holds says
// nothing of it.
func isRefusal(err error) bool {
	if errors.Is(err, channel.ErrMayBeThere) || errors.Is(err, channel.ErrExists) {
		return false
	}
	return slices.ContainsFunc([]error{
		channel.ErrNotFound, channel.ErrUnauthorized, channel.ErrForbidden, channel.ErrMalformed, channel.ErrTooLarge, channel.ErrInvalid,
	}, func(answer error) bool { return errors.Is(err, answer) })
}

// RefusedError is that of an upload of which the channel has taken nothing: it has refused each file that was sent.
type RefusedError struct{ Err error }

func (e *RefusedError) Error() string { return e.Err.Error() }

func (e *RefusedError) Unwrap() error { return e.Err }

// Kept is what a journal keeps of it.
func (*RefusedError) Kept() any { return Refusal{Refused: true} }

// Refusal is what a journal has of an upload that has failed.
type Refusal struct {
	Refused bool `json:"refused,omitempty"` // the channel has taken nothing of it
}

func (p *Publisher) parallel() int {
	if p.Parallel > 0 {
		return p.Parallel
	}
	return DefaultParallel
}

// first is the only error, or the first with the sentences of the others.
func first(errs []error) error {
	var all []error
	for _, err := range errs {
		if err != nil {
			all = append(all, err)
		}
	}
	if len(all) < 2 {
		return errors.Join(all...)
	}
	return more(all)
}

type noProgress struct{}

func (noProgress) Begin(int, int64)          {}
func (noProgress) Sent(string, int64, int64) {}
func (noProgress) Done(string, error)        {}
func (noProgress) End()                      {}

func more(errs []error) error {
	var lines []string
	for _, err := range errs {
		lines = append(lines, err.Error())
	}
	return operr.New("", "%d uploads went wrong, the first: %w", len(errs), errs[0]).WithDetail(strings.Join(lines, "\n"))
}
