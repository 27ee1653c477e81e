;; Grows a table until the host refuses. Rust has no tables to grow, and each element takes memory
;; of the host that is no memory of the plugin.
(component
  (core module $program
    (table $elements 1 funcref)
    (func (export "run") (result i32)
      (loop $more
        (br_if $more
          (i32.ge_s (table.grow $elements (ref.null func) (i32.const 10000)) (i32.const 0))))
      (i32.const 0)))
  (core instance $program (instantiate $program))
  (func $run (result (result)) (canon lift (core func $program "run")))
  (instance $command (export "run" (func $run)))
  (export "wasi:cli/run@0.2.0" (instance $command)))
