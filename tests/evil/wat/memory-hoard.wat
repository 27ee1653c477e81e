;; Grows four memories in turn until the host refuses all of them: a limit on one memory would let
;; it have four times as much. Each first page is written, so that it is really there.
(component
  (core module $hoard
    (memory (export "memory") 1)
    (func (export "grow") (result i32)
      (i32.store (i32.mul (memory.size) (i32.const 16)) (i32.const 1))
      (memory.grow (i32.const 16))))
  (core instance $first (instantiate $hoard))
  (core instance $second (instantiate $hoard))
  (core instance $third (instantiate $hoard))
  (core instance $fourth (instantiate $hoard))
  (core module $program
    (import "first" "grow" (func $first (result i32)))
    (import "second" "grow" (func $second (result i32)))
    (import "third" "grow" (func $third (result i32)))
    (import "fourth" "grow" (func $fourth (result i32)))
    (func (export "run") (result i32)
      (loop $more
        (br_if $more (i32.ge_s (call $first) (i32.const 0)))
        (br_if $more (i32.ge_s (call $second) (i32.const 0)))
        (br_if $more (i32.ge_s (call $third) (i32.const 0)))
        (br_if $more (i32.ge_s (call $fourth) (i32.const 0))))
      (i32.const 0)))
  (core instance $program (instantiate $program
    (with "first" (instance $first))
    (with "second" (instance $second))
    (with "third" (instance $third))
    (with "fourth" (instance $fourth))))
  (func $run (result (result)) (canon lift (core func $program "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))
