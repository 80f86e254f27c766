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

// Upload sends the delivery level by level. The files of a level are sent concurrently, once every form of the index shows all lower levels, so
// that a solver never finds a package without its dependencies.
//
// If one upload fails, the other uploads of its level continue, but the next level does not start. Upload returns a summary.
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

// split returns the items to upload in a level, and the records of all lower levels.
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

// level uploads the files of one level. `nothing` means that no file was sent before.
func (p *Publisher) level(ctx context.Context, items []Item, progress Progress, nothing bool) error {
	var group errgroup.Group
	group.SetLimit(p.parallel())
	errs := make([]error, len(items))
	for n, i := range items {
		group.Go(func() error {
			u := channel.Upload{File: filepath.Base(i.Path), Path: i.Path, Record: i.Record, Force: i.State == Replace}
			u.Sent = func(sent int64) { progress.ShowSent(u.File, sent, u.Record.Size) }
			_, errs[n] = p.Channel.Put(ctx, u)
			progress.Done(u.File, errs[n])
			return nil
		})
	}
	_ = group.Wait() // the errors are in errs, in the order of items
	if nothing && !slices.ContainsFunc(errs, func(err error) bool { return !isRefusal(err) }) {
		return &RefusedError{Err: first(errs)}
	}
	return first(errs)
}

// isRefusal reports whether an upload failed because the channel refused the file. After some failures, Put checks whether the channel has the file
// anyway. An error of that check is not a refusal.
func isRefusal(err error) bool {
	if errors.Is(err, channel.ErrMayBeThere) || errors.Is(err, channel.ErrExists) {
		return false
	}
	return slices.ContainsFunc([]error{
		channel.ErrNotFound, channel.ErrUnauthorized, channel.ErrForbidden, channel.ErrMalformed, channel.ErrTooLarge, channel.ErrInvalid,
	}, func(answer error) bool { return errors.Is(err, answer) })
}

// RefusedError is returned if the channel refused all files of an upload, and so stored nothing.
type RefusedError struct{ Err error }

func (e *RefusedError) Error() string { return e.Err.Error() }

func (e *RefusedError) Unwrap() error { return e.Err }

// Kept returns the part of the error that is stored in a journal.
func (*RefusedError) Kept() any { return Refusal{Refused: true} }

// Refusal is the part of a RefusedError that is stored in a journal.
type Refusal struct {
	Refused bool `json:"refused,omitempty"` // the channel stored no file
}

func (p *Publisher) parallel() int {
	if p.Parallel > 0 {
		return p.Parallel
	}
	return DefaultParallel
}

// `first` returns nil, the only error, or the first error with the texts of all errors as its detail.
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

func (noProgress) Begin(int, int64)              {}
func (noProgress) ShowSent(string, int64, int64) {}
func (noProgress) Done(string, error)            {}
func (noProgress) End()                          {}

func more(errs []error) error {
	var lines []string
	for _, err := range errs {
		lines = append(lines, err.Error())
	}
	return operr.New("", "%d uploads failed; the first error: %w", len(errs), errs[0]).WithDetail(strings.Join(lines, "\n"))
}
