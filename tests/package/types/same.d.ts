/** Distinguishes what assignability does not: `any`, optional and readonly members, wider and narrower types. */
declare type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** `same<A, B>()` compiles only if both types are the same; otherwise it needs an argument of type never. */
declare function same<A, B>(...proof: Same<A, B> extends true ? [] : [never]): void;

/** The members of an error, without those of every Error. */
declare type Own<E> = { [Name in keyof E as Exclude<Name, "name" | "message" | "stack">]: E[Name] };

/** The members of a class or an interface as those of a plain type. */
declare type Members<T> = { [Name in keyof T]: T[Name] };
