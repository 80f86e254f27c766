package channeltest

import (
	"context"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
)

// ReadOnly returns a read-only view of c. Every change fails with channel.ErrForbidden.
func ReadOnly(c channel.Channel) channel.Channel { return readOnly{Channel: c} }

type readOnly struct{ channel.Channel }

func (readOnly) Put(_ context.Context, u channel.Upload) (channel.Receipt, error) {
	return channel.Receipt{}, channel.Errorf(channel.ErrForbidden, "this channel is read only: %s was not put", u.File)
}

func (readOnly) Delete(_ context.Context, _, file string) error {
	return channel.Errorf(channel.ErrForbidden, "this channel is read only: %s was not deleted", file)
}

// Op is a method of a Channel.
type Op string

// The methods of a Channel.
const (
	OpPut     Op = "put"
	OpRecords Op = "records"
	OpOpen    Op = "open"
	OpDelete  Op = "delete"
)

// Call is a call of a Channel method.
type Call struct {
	Op     Op
	Subdir string
	File   string // "" for Records
	After  bool   // whether the call has succeeded, and only its result can still be lost
}

// Faulty returns a channel that injects errors. It calls `fail` before each call, and again after each successful call. An error before a call
// simulates a lost request, and an error after a call simulates a lost response.
func Faulty(c channel.Channel, fail func(Call) error) channel.Channel {
	return &faulty{c: c, fail: fail}
}

type faulty struct {
	c    channel.Channel
	fail func(Call) error
}

// call runs `do`, and calls `fail` before and after it.
func (f *faulty) call(x Call, do func() error) error {
	if err := f.fail(x); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	x.After = true
	return f.fail(x)
}

func (f *faulty) Put(ctx context.Context, u channel.Upload) (r channel.Receipt, err error) {
	err = f.call(Call{Op: OpPut, Subdir: u.Record.Subdir, File: u.File}, func() (err error) {
		r, err = f.c.Put(ctx, u)
		return err
	})
	return r, err
}

func (f *faulty) Records(ctx context.Context, subdir string, names ...string) (r []condapkg.Record, err error) {
	err = f.call(Call{Op: OpRecords, Subdir: subdir}, func() (err error) {
		r, err = f.c.Records(ctx, subdir, names...)
		return err
	})
	return r, err
}

func (f *faulty) Open(ctx context.Context, subdir, file string) (opened *channel.File, err error) {
	err = f.call(Call{Op: OpOpen, Subdir: subdir, File: file}, func() (err error) {
		opened, err = f.c.Open(ctx, subdir, file)
		return err
	})
	if err != nil && opened != nil {
		opened.Close()
		opened = nil
	}
	return opened, err
}

func (f *faulty) Delete(ctx context.Context, subdir, file string) error {
	return f.call(Call{Op: OpDelete, Subdir: subdir, File: file}, func() error { return f.c.Delete(ctx, subdir, file) })
}
