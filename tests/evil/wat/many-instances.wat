;; A thousand core instances, with a memory each, from a few lines: every level has ten of the one
;; below.
(component
  (component $ten
    (core module $one (memory 1))
    (core instance (instantiate $one)) (core instance (instantiate $one))
    (core instance (instantiate $one)) (core instance (instantiate $one))
    (core instance (instantiate $one)) (core instance (instantiate $one))
    (core instance (instantiate $one)) (core instance (instantiate $one))
    (core instance (instantiate $one)) (core instance (instantiate $one)))
  (component $hundred
    (alias outer 1 $ten (component $ten))
    (instance (instantiate $ten)) (instance (instantiate $ten))
    (instance (instantiate $ten)) (instance (instantiate $ten))
    (instance (instantiate $ten)) (instance (instantiate $ten))
    (instance (instantiate $ten)) (instance (instantiate $ten))
    (instance (instantiate $ten)) (instance (instantiate $ten)))
  (instance (instantiate $hundred)) (instance (instantiate $hundred))
  (instance (instantiate $hundred)) (instance (instantiate $hundred))
  (instance (instantiate $hundred)) (instance (instantiate $hundred))
  (instance (instantiate $hundred)) (instance (instantiate $hundred))
  (instance (instantiate $hundred)) (instance (instantiate $hundred))
  (core module $program (func (export "run") (result i32) (i32.const 0)))
  (core instance $program (instantiate $program))
  (func $run (result (result)) (canon lift (core func $program "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))
