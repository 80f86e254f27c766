package workflow

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// step is a Step with any result type.
type step interface {
	name() string
	options() options
	skip() (why string, err error)
	// check calls Check, and stores the result if the step is done. `recorded` is JSON, or nil.
	check(ctx context.Context, recorded []byte) (found outcome, done bool, err error)
	do(ctx context.Context) (outcome, error)
	// recall sets the step's result to a recorded one, without a check.
	recall(recorded []byte) error
	// now returns the step's current result in its recorded form, or nil if there is no result.
	now() []byte
}

type options struct {
	checks, does, whole, waits bool
	retries                    int
}

// outcome is a result in its recorded form.
type outcome struct {
	evidence string
	result   []byte
}

type typed[R any] struct {
	Step[R]
	value *Value[R]
}

func (s *typed[R]) name() string { return s.Name }

func (s *typed[R]) options() options {
	return options{checks: s.Check != nil, does: s.Do != nil, whole: s.Whole, waits: s.Waits, retries: s.Retries}
}

func (s *typed[R]) skip() (why string, err error) {
	defer func() {
		if v := recover(); v != nil {
			why, err = "", operr.FromPanic(v)
		}
	}()
	if s.Skip == nil {
		return "", nil
	}
	return s.Skip(), nil
}

func (s *typed[R]) check(ctx context.Context, recorded []byte) (found outcome, done bool, err error) {
	defer func() {
		if v := recover(); v != nil {
			found, done, err = outcome{}, false, operr.FromPanic(v)
		}
	}()
	var before *R
	if recorded != nil {
		before = new(R)
		if err := json.Unmarshal(recorded, before); err != nil {
			return outcome{}, false, fmt.Errorf("reading the recorded result of %q: %w", s.Name, err)
		}
	}
	result, done, err := s.Check(ctx, before)
	if err != nil || !done {
		return outcome{}, false, err
	}
	o, err := s.keep(result)
	return o, err == nil, err
}

func (s *typed[R]) do(ctx context.Context) (made outcome, err error) {
	defer func() {
		if v := recover(); v != nil {
			made, err = outcome{}, operr.FromPanic(v)
		}
	}()
	result, err := s.Do(ctx)
	if err != nil {
		return outcome{}, err
	}
	return s.keep(result)
}

func (s *typed[R]) now() []byte {
	if s.value.value == nil {
		return nil
	}
	data, err := json.Marshal(*s.value.value)
	if err != nil {
		return nil // keep has verified that it can be marshaled
	}
	return data
}

// keep sets the step's result, if it survives JSON.
func (s *typed[R]) keep(result R) (outcome, error) {
	o := outcome{}
	var err error
	if o.result, err = json.Marshal(result); err != nil {
		return o, fmt.Errorf("the result of %q cannot be recorded: %w", s.Name, err)
	}
	var again R
	if err := json.Unmarshal(o.result, &again); err != nil {
		return o, fmt.Errorf("the result of %q cannot be read from its own JSON: %w", s.Name, err)
	}
	if !reflect.DeepEqual(result, again) {
		return o, fmt.Errorf("the result of %q changed when it was recorded: %+v became %+v", s.Name, result, again)
	}
	s.value.value = &result
	if s.Say != nil {
		o.evidence = s.Say(result)
	}
	return o, nil
}

func (s *typed[R]) recall(recorded []byte) error {
	if recorded == nil || bytes.Equal(recorded, []byte("null")) {
		return nil
	}
	s.value.value = new(R)
	return json.Unmarshal(recorded, s.value.value)
}
